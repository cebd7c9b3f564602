/* SPDX-License-Identifier: MIT */
/* Programs that pull the rug from under a guest in their process: `hostile CASE`. Each makes 10 calls of leaf(), and says
 * "fine" if it was not disturbed itself. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

extern char **environ;
static volatile int sink;
static int our_argc;
static char **our_argv;

static NOINLINE void leaf(void)
{
	sink++;
}

static NOINLINE void work(void)
{
	for (int i = 0; i < 10; i++)
		leaf();
}

static void expect(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- Descriptors ------------------------------------------------------------------ */

static void next_descriptor(void)
{
	expect(open("/dev/null", O_RDONLY) == 3, "the next open is not 3");
	work();
}

static void close_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	expect(open("/dev/null", O_RDONLY) == 3, "the next open is not 3");
	work();
	expect(open("/dev/null", O_RDONLY) == 4, "the next open is not 4");
}

static void few_descriptors(void)
{
	struct rlimit limit = {3, 3};

	expect(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
	work();
	expect(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE, "there is one more descriptor");
}

/* ---- Names and places --------------------------------------------------------------- */

static void overwrite(void)
{
	char *end = our_argv[our_argc - 1] + strlen(our_argv[our_argc - 1]);

	for (char **variable = environ; *variable != NULL; variable++)
		if (*variable == end + 1)
			end = *variable + strlen(*variable);
	memset(our_argv[0], 'x', (size_t)(end - our_argv[0]));
	environ = NULL;
	work();
	expect(getenv("HOME") == NULL && getenv("LD_PRELOAD") == NULL, "the environment");
}

static void change_root(void)
{
	expect(mkdir("empty", 0755) == 0 || errno == EEXIST, "mkdir");
	expect(chroot("empty") == 0 && chdir("/") == 0, "chroot");
	work();
}

static void change_user(void)
{
	expect(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0, "setuid");
	work();
}

static void make_daemon(void)
{
	fflush(NULL);
	if (fork() > 0)
		_exit(0);
	setsid();
	if (fork() > 0)
		_exit(0);
	umask(0);
	work();
}

/* ---- Memory --------------------------------------------------------------------------- */

/* The program knows that it needs less than 200 MiB. */
static void little_memory(void)
{
	struct rlimit limit = {(rlim_t)200 << 20, (rlim_t)200 << 20};
	char *memory;

	expect(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
	memory = malloc((size_t)100 << 20);
	expect(memory != NULL, "100 MiB");
	memory[0] = 1;
	free(memory);
	expect(malloc((size_t)400 << 20) == NULL, "400 MiB, beyond the limit");
	work();
}

/* So little that the runtime of the program that follows can't work: `hostile tight|cramped|lacking`. */
static void exec_with(int resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	expect(syscall(SYS_prlimit64, 0, resource, &limit, NULL) == 0, "prlimit");
	execl("/proc/self/exe", "hostile", "small-stack", NULL);
	expect(0, "exec");
}

static void tight(void)
{
	exec_with(RLIMIT_AS, (rlim_t)60 << 20);
}

static void cramped(void)
{
	exec_with(RLIMIT_AS, (rlim_t)400 << 20);
}

static void lacking(void)
{
	exec_with(RLIMIT_NOFILE, 4);
}

static void locked_memory(void)
{
	expect(mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "mlockall");
	work();
}

/* ---- System calls ------------------------------------------------------------------------ */

#define ALLOW(name)                                                                                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What this program needs from here on; anything else is answered with `otherwise`. */
static void filter(uint32_t otherwise)
{
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
				     ALLOW(read),
				     ALLOW(write),
				     ALLOW(brk),
				     ALLOW(exit),
				     ALLOW(exit_group),
				     BPF_STMT(BPF_RET | BPF_K, otherwise)};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	setvbuf(stdout, NULL, _IONBF, 0);
	expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
	       "seccomp");
}

static void kill_filter(void)
{
	filter(SECCOMP_RET_KILL_PROCESS);
	work();
}

static void errno_filter(void)
{
	filter(SECCOMP_RET_ERRNO | EPERM);
	work();
}

static void *work_in_thread(void *arg)
{
	static pthread_barrier_t *barrier;

	barrier = arg;
	pthread_barrier_wait(barrier);
	leaf();
	pthread_barrier_wait(barrier);
	return NULL;
}

/* A thread that records nothing before the filter is there. */
static void kill_filter_in_thread(void)
{
	pthread_barrier_t barrier;
	pthread_t thread;
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
				     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 1),
				     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
				     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, work_in_thread, &barrier);
	expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		   syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0,
	       "seccomp");
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 9; i++)
		leaf();
}

/* ---- Threads and stacks --------------------------------------------------------------------- */

static void run_threads(unsigned int n)
{
	static pthread_t threads[5000];
	pthread_barrier_t barrier;
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	pthread_barrier_init(&barrier, NULL, n);
	for (unsigned int i = 0; i < n; i++)
		expect(pthread_create(&threads[i], &attributes, work_in_thread, &barrier) == 0, "pthread_create");
	for (unsigned int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	work();
}

static void many_threads(void)
{
	run_threads(1000);
}

/* More than can be recorded at once. */
static void too_many_threads(void)
{
	run_threads(5000);
}

static NOINLINE void handled(void)
{
	work();
}

static void on_signal(int number)
{
	handled();
	sink += number;
}

/* The handler's functions are all new to the runtime: what it does then has to fit, too. */
static void small_stack(void)
{
	char *memory = mmap(NULL, 4096 + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	stack_t stack = {.ss_sp = memory + 4096, .ss_size = 8192};

	mprotect(memory, 4096, PROT_NONE);
	expect(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static int clone_child(void *arg)
{
	work();
	_exit(arg != NULL);
}

/* Without the libc knowing of it. */
static void raw_clone(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	int status = -1;

	if (pid == 0)
		clone_child(NULL);
	for (int i = 0; i < 10; i++)
		leaf();
	waitpid(pid, &status, 0);
	expect(status == 0, "the child");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {{"next-descriptor", next_descriptor},
		     {"close-all", close_all},
		     {"few-descriptors", few_descriptors},
		     {"overwrite", overwrite},
		     {"change-root", change_root},
		     {"change-user", change_user},
		     {"make-daemon", make_daemon},
		     {"little-memory", little_memory},
		     {"tight", tight},
		     {"cramped", cramped},
		     {"lacking", lacking},
		     {"locked-memory", locked_memory},
		     {"kill-filter", kill_filter},
		     {"errno-filter", errno_filter},
		     {"kill-filter-in-thread", kill_filter_in_thread},
		     {"many-threads", many_threads},
		     {"too-many-threads", too_many_threads},
		     {"small-stack", small_stack},
		     {"raw-clone", raw_clone}};

	our_argc = argc;
	our_argv = argv;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			if (write(STDOUT_FILENO, "fine\n", 5) != 5)
				return 1;
			return 0;
		}
	}
	return 2;
}
