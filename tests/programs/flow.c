/* SPDX-License-Identifier: MIT */
/* Every way control leaves a function, or comes back to one, other than by call and return: `flow CASE`. What
 * each does is a tree written down in tests/e2e/flow/. The functions leaf() and after() tell by their callers whether the
 * profiler knew where it was. */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

static volatile int sink;

static NOINLINE void leaf(void)
{
	sink++;
}

static NOINLINE void after(void)
{
	sink++;
}

/* ---- Jumps -------------------------------------------------------------------- */

static jmp_buf env;

static NOINLINE void jump(int depth)
{
	leaf();
	if (depth == 0)
		longjmp(env, 1);
	jump(depth - 1);
	after(); /* never */
}

static NOINLINE void catcher(void)
{
	if (setjmp(env) == 0)
		jump(3);
	after();
}

static void jumps(void)
{
	for (int i = 0; i < 10; i++)
		catcher();
	after();
}

/* All of it in one machine frame, where the compiler is allowed to. */
INLINE void inlined_jump(int n)
{
	leaf();
	sink += n;
	longjmp(env, 1);
}

INLINE void inlined_middle(int n)
{
	inlined_jump(n);
	after(); /* never */
}

static NOINLINE void inlined_catcher(int n)
{
	if (setjmp(env) == 0)
		inlined_middle(n);
	after();
}

static void inlined_jumps(void)
{
	for (int i = 0; i < 10; i++)
		inlined_catcher(i);
	after();
}

/* ---- Signals --------------------------------------------------------------------- */

static sigjmp_buf signal_env;

static NOINLINE void handled(void)
{
	leaf();
}

static void on_signal(int number)
{
	handled();
	sink += number;
}

static void on_signal_and_leave(int number)
{
	handled();
	siglongjmp(signal_env, number);
}

static NOINLINE void signalled(void)
{
	leaf();
	raise(SIGUSR1);
	after();
}

static void handle(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(SIGUSR1, &action, NULL);
}

static void signals(void)
{
	handle(on_signal, 0);
	for (int i = 0; i < 10; i++)
		signalled();
	after();
}

/* Above the thread's own stack, or below it: the handler's frames look older, or newer, than those they interrupt. */
static void use_stack(void *at, size_t size)
{
	stack_t stack = {.ss_sp = at, .ss_size = size};

	if (sigaltstack(&stack, NULL) != 0)
		perror("sigaltstack");
}

static NOINLINE void signals_elsewhere(void)
{
	handle(on_signal, SA_ONSTACK);
	for (int i = 0; i < 10; i++)
		signalled();
	after();
}

static void signals_on_a_lower_stack(void)
{
	static char stack[8192] __attribute__((aligned(16)));

	use_stack(stack, sizeof(stack));
	signals_elsewhere();
}

static void *run_in_thread(void *arg)
{
	signals_elsewhere();
	return arg;
}

/* The alternate stack is on main's, above every thread's. */
static void *lend_stack(void *stack)
{
	use_stack(stack, 16384);
	return run_in_thread(stack);
}

static void signals_on_a_higher_stack(void)
{
	char stack[16384] __attribute__((aligned(16)));
	pthread_t thread;

	pthread_create(&thread, NULL, lend_stack, stack);
	pthread_join(thread, NULL);
}

static void leave_handlers(int flags)
{
	handle(on_signal_and_leave, flags);
	for (volatile int i = 0; i < 10; i++) {
		if (sigsetjmp(signal_env, 1) == 0)
			signalled();
		after();
	}
	after();
}

static void jumps_out_of_handlers(void)
{
	leave_handlers(0);
}

static void jumps_off_the_signal_stack(void)
{
	static char stack[8192] __attribute__((aligned(16)));

	use_stack(stack, sizeof(stack));
	leave_handlers(SA_ONSTACK);
}

/* ---- Threads ------------------------------------------------------------------------ */

static NOINLINE void deep_exit(int depth)
{
	leaf();
	if (depth == 0)
		pthread_exit(NULL);
	deep_exit(depth - 1);
	after(); /* never */
}

static NOINLINE void clean(void *unused)
{
	leaf();
}

static void *exiting_thread(void *arg)
{
	pthread_cleanup_push(clean, NULL);
	deep_exit(2);
	pthread_cleanup_pop(0);
	return arg;
}

static NOINLINE void wait_for_ever(void)
{
	leaf();
	for (;;)
		pause();
}

static void *cancelled_thread(void *arg)
{
	pthread_cleanup_push(clean, NULL);
	wait_for_ever();
	pthread_cleanup_pop(0);
	return arg;
}

static void thread_ends(void)
{
	pthread_t thread;

	for (int i = 0; i < 5; i++) {
		pthread_create(&thread, NULL, exiting_thread, NULL);
		pthread_join(thread, NULL);
		pthread_create(&thread, NULL, cancelled_thread, NULL);
		usleep(20000);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	after();
}

/* ---- Processes ------------------------------------------------------------------------ */

static NOINLINE void exit_from_deep(int depth)
{
	leaf();
	if (depth == 0)
		exit(0);
	exit_from_deep(depth - 1);
	after(); /* never */
}

static void exits(void)
{
	exit_from_deep(3);
}

static NOINLINE void vfork_child(char *const *argv)
{
	leaf();
	execv("/proc/self/exe", argv);
	_exit(1);
}

/* The child runs in the parent's frame and memory until it has gone. */
static void vforks(void)
{
	static char *const argv[] = {(char *)"flow", (char *)"nothing", NULL};

	for (int i = 0; i < 5; i++) {
		pid_t pid = vfork();

		if (pid == 0)
			vfork_child(argv);
		waitpid(pid, NULL, 0);
		after();
	}
}

static NOINLINE void forked(int i)
{
	leaf();
	if (i % 2 == 0)
		execl("/proc/self/exe", "flow", "nothing", NULL);
	exit(0);
}

static void forks(void)
{
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (pid == 0)
			forked(i);
		waitpid(pid, NULL, 0);
		after();
	}
}

static void nothing(void)
{
	leaf();
}

/* ---- Objects that come and go -------------------------------------------------------------- */

static void opens(void)
{
	for (int i = 0; i < 3; i++) {
		void *object = dlopen("./flow-opened.so", RTLD_NOW);
		void (*entry)(void) = object != NULL ? (void (*)(void))dlsym(object, "opened_entry") : NULL;

		if (entry == NULL) {
			fprintf(stderr, "%s\n", dlerror());
			exit(1);
		}
		entry();
		dlclose(object);
		after();
	}
}

static __attribute__((constructor)) void before_main(void)
{
	leaf();
}

static __attribute__((destructor)) void after_main(void)
{
	leaf();
}

static void at_exit(void)
{
	leaf();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {{"jumps", jumps},
		     {"inlined-jumps", inlined_jumps},
		     {"signals", signals},
		     {"signals-lower", signals_on_a_lower_stack},
		     {"signals-higher", signals_on_a_higher_stack},
		     {"jumps-out-of-handlers", jumps_out_of_handlers},
		     {"jumps-off-the-signal-stack", jumps_off_the_signal_stack},
		     {"thread-ends", thread_ends},
		     {"exits", exits},
		     {"vforks", vforks},
		     {"forks", forks},
		     {"nothing", nothing},
		     {"opens", opens}};

	atexit(at_exit);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			return 0;
		}
	}
	fprintf(stderr, "flow: no such case\n");
	return 2;
}
