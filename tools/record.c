/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile record: the collector without the server. One profile for each process of one run of a program; the
 * program's exit status becomes ours.
 */
#include "collect/collector.h"
#include "collect/paths.h"
#include "collect/preloading.h"
#include "profile/callgrind_write.h"
#include "profile/events.h"
#include "profile/pprof_write.h"
#include "tools/command.h"
#include "tools/output_file.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX ".prof"

struct recording {
	const char *output; /* NULL: named after the program */
	const char *program;
	_Atomic uint32_t main_pid; /* the collector's thread asks for it as well */
	int main_status; /* of waitpid */
	char *command;
	int is_quiet;
	rps_output_writer *writer;
	int has_settle;
	uint32_t settle_ms; /* for what the program leaves behind */
	enum rps_time time;
	unsigned int events;
	enum rps_scope scope;
	const char *request_function;
	uint32_t n_written;
	int error;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
	is_interrupted = 1;
}

static void help(FILE *out)
{
	fprintf(out, "Usage: runprofile record [OPTION]... [--] PROGRAM [ARG]...\n\n"
	      "Runs PROGRAM, which profcc compiled, and writes a profile of the whole run: one file for it,\n"
	      "and one for each child process in which instrumented code ran. Ends with PROGRAM's exit status.\n\n"
	      "  -o, --output=FILE  write to FILE (a child's goes to FILE with its pid before the suffix);\n"
	      "                     without it PROGRAM.PID" SUFFIX " in the current directory\n"
	      "      --kcachegrind  in the callgrind format (default: pprof)\n"
	      "      --request=FUNCTION  each call of FUNCTION is a request with a profile of its own\n"
	      "      --scope=NAME   application: the whole run (the default); request: what the program marks\n"
	      "                     itself (see runprofile.h), one profile each, FILE.1" SUFFIX " and so on\n"
	      "      --settle=MS    give the processes that PROGRAM leaves behind MS milliseconds to end;\n"
	      "                     what has not returned then is charged up to that moment, and named\n"
	      "      --events=LIST  what to measure: %s\n"
	      "      --exact-time   read the clock at each entry and exit, not only at a sample of short calls\n"
	      "      --no-time      count calls only: quicker, and the same in each run of the same work\n"
	      "  -q, --quiet        don't say which files were written\n"
	      "  -h, --help         this text\n",
		rps_event_names());
}

/* FILE without its suffix, a dot, the number, the suffix. malloc'ed. */
static char *numbered_path(const char *file, uint32_t number)
{
	size_t size = strlen(file);
	char *path;

	if (size > strlen(SUFFIX) && strcmp(file + size - strlen(SUFFIX), SUFFIX) == 0)
		size -= strlen(SUFFIX);
	return asprintf(&path, "%.*s.%" PRIu32 SUFFIX, (int)size, file, number) >= 0 ? path : NULL;
}

/* "FILE", or for a child "FILE-without-suffix.PID.prof". malloc'ed. */
static char *output_path(const struct recording *recording, uint32_t pid)
{
	const char *slash = strrchr(recording->program, '/'), *name = slash != NULL ? slash + 1 : recording->program;

	if (recording->output == NULL)
		return numbered_path(name, pid);
	return pid == recording->main_pid ? strdup(recording->output) : numbered_path(recording->output, pid);
}

/* Of the `n`-th request that the program has marked. malloc'ed. */
static char *request_path(const struct recording *recording, uint32_t n)
{
	char *first = output_path(recording, recording->main_pid), *path;

	if (first == NULL)
		return NULL;
	path = numbered_path(first, n);
	free(first);
	return path;
}

static void describe_end(const struct recording *recording, struct rps_profile *profile)
{
	char text[64];

	if (profile->pid != recording->main_pid)
		snprintf(text, sizeof(text), "child of process %" PRIu32, recording->main_pid);
	else if (WIFSIGNALED(recording->main_status))
		snprintf(text, sizeof(text), "signal %d (%s)", WTERMSIG(recording->main_status),
			 strsignal(WTERMSIG(recording->main_status)));
	else
		snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(recording->main_status));
	rps_profile_add_meta(profile, profile->pid == recording->main_pid ? "Ended by" : "Process", text);
}

/* To `path`, which it frees. */
static void write_profile(struct recording *recording, struct rps_profile *profile, const struct rps_collect_info *info, char *path)
{
	int error;

	rps_profile_set_command(profile, recording->command);
	if (path == NULL)
		error = -ENOMEM;
	else if (recording->scope == RPS_SCOPE_REQUEST)
		error = rps_output_file_write_one_of_many(path, profile, recording->writer);
	else
		error = rps_output_file_write(path, profile, recording->writer);
	if (error != 0) {
		rps_complain("cannot write %s: %s", path != NULL ? path : "the profile", strerror(-error));
		recording->error = 1;
	} else {
		recording->n_written++;
		if (!recording->is_quiet && recording->scope == RPS_SCOPE_APPLICATION)
			fprintf(stderr, "runprofile: %" PRIu64 " calls in %s%s\n", info->calls, path,
				info->lost_calls > 0 || info->lost_threads > 0 ? " (some were lost, see the file)" : "");
	}
	free(path);
}

static void take_profile(void *cls, struct rps_profile *profile, const struct rps_collect_info *info)
{
	describe_end(cls, profile);
	write_profile(cls, profile, info, output_path(cls, profile->pid));
	rps_profile_destroy(profile);
}

/* In the collector's thread; what it changes is looked at when that has ended. */
static void take_request(void *cls, struct rps_profile *profile, const struct rps_collect_info *info,
			 const struct rps_own_request *request)
{
	struct recording *recording = cls;
	char text[32];

	snprintf(text, sizeof(text), "%016" PRIx64, request->id);
	rps_profile_add_volatile_meta(profile, "Id", text);
	rps_profile_add_meta(profile, "Method", "CALL");
	rps_profile_add_meta(profile, "Path", request->name);
	snprintf(text, sizeof(text), "%" PRIu64, request->duration_us);
	rps_profile_add_volatile_meta(profile, "Duration us", text);
	write_profile(recording, profile, info, request_path(recording, recording->n_written + 1));
	rps_profile_destroy(profile);
}

/* Once for all of them: there may be many. */
static void tell_requests(const struct recording *recording)
{
	char *first = request_path(recording, 1);

	if (recording->n_written > 0 && !recording->is_quiet)
		fprintf(stderr, "runprofile: %" PRIu32 " request%s, in %s%s\n", recording->n_written, recording->n_written == 1 ? "" : "s",
			first != NULL ? first : "", recording->n_written == 1 ? "" : " and so on");
	free(first);
}

/* As a shell would write it; for the reader of the file only. */
static char *join_words(char **words)
{
	size_t size = 1;
	char *text, *at;

	for (char **word = words; *word != NULL; word++)
		size += strlen(*word) + 1;
	text = at = malloc(size);
	if (text == NULL)
		return NULL;
	*at = '\0';
	for (char **word = words; *word != NULL; word++) {
		at = stpcpy(at, *word);
		if (word[1] != NULL)
			at = stpcpy(at, " ");
	}
	return text;
}

static int run(const struct rps_collector *collector, char **argv, const sigset_t *signals)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (const char *const *variable = rps_collector_environ(collector); *variable != NULL; variable++)
		putenv((char *)(uintptr_t)*variable);
	sigprocmask(SIG_SETMASK, signals, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	execvp(argv[0], argv);
	rps_complain("cannot run %s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int has_children(void)
{
	siginfo_t ended = {0};

	return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Waits for the program, then for what it left behind: we are its descendants' reaper. */
static void wait_for_all(struct recording *recording)
{
	int status, main_has_ended = 0;
	uint64_t ended_ms = 0;

	for (;;) {
		const struct timespec step = {0, 10 * 1000 * 1000};
		int is_limited = main_has_ended && recording->has_settle;
		pid_t pid = waitpid(-1, &status, is_limited ? WNOHANG : 0);

		if (pid == 0) {
			if (is_interrupted || now_ms() >= ended_ms + recording->settle_ms)
				return;
			nanosleep(&step, NULL);
			continue;
		}
		if (pid < 0 && errno == EINTR) {
			/* Ctrl-C is the program's business; but it does not reach daemons. */
			if (main_has_ended && is_interrupted)
				return;
			continue;
		}
		if (pid < 0)
			return;
		if (pid == (pid_t)recording->main_pid) {
			recording->main_status = status;
			main_has_ended = 1;
			ended_ms = now_ms();
			if (!recording->is_quiet && !recording->has_settle && has_children())
				fprintf(stderr, "runprofile: %s has ended, its children have not (Ctrl-C ends the recording)\n",
					recording->program);
		}
	}
}

static void explain_nothing(const char *program)
{
	char error[512], *path = rps_path_program(program, error, sizeof(error));
	const char *hindrance = path != NULL ? rps_preloading_hindrance(path) : NULL;

	rps_complain("%s ran no instrumented code, so there is no profile (%s)", program,
		     hindrance != NULL ? hindrance : "compile it with profcc");
	free(path);
}

static int record(struct recording *recording, char **argv)
{
	struct rps_collector_options options = {.scope = recording->scope,
						.time = recording->time,
						.events = recording->events,
						.request_function = recording->request_function,
						.take_own_cls = recording};
	struct sigaction on_interrupt = {.sa_handler = interrupt};
	struct rps_collector *collector;
	struct rps_collection *collection;
	struct rps_collector_stats stats;
	char error[512], *runtime = rps_path_runtime(error, sizeof(error));
	sigset_t signals;

	if (runtime == NULL) {
		rps_complain("%s", error);
		return 1;
	}
	options.runtime_path = runtime;
	options.settle_ms = recording->has_settle ? 1 : 0; /* the wait is over when it asks */
	if (recording->scope == RPS_SCOPE_REQUEST)
		options.take_own = take_request;
	collector = rps_collector_create(&options, error, sizeof(error));
	free(runtime);
	collection = collector != NULL ? rps_collector_begin(collector, 1) : NULL;
	if (collection == NULL) {
		rps_complain("%s", collector != NULL ? "out of memory" : error);
		rps_collector_destroy(collector);
		return 1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigprocmask(SIG_SETMASK, NULL, &signals);
	sigaction(SIGINT, &on_interrupt, NULL);
	sigaction(SIGTERM, &on_interrupt, NULL);
	recording->main_pid = (uint32_t)run(collector, argv, &signals);
	wait_for_all(recording);
	if (rps_collector_end_each(collection, recording->program, take_profile, recording) != 0) {
		rps_complain("out of memory");
		recording->error = 1;
	}
	if (recording->scope == RPS_SCOPE_REQUEST) {
		rps_collector_get_stats(collector, &stats);
		rps_collector_destroy(collector); /* has taken all requests then */
		collector = NULL;
		tell_requests(recording);
		if (recording->n_written == 0 && !recording->error)
			rps_complain("%s", stats.n_processes == 0	      ? "the program has not loaded the runtime, so there is no profile"
					   : recording->request_function != NULL ? "the function was not called, so there is no profile (its name or symbol, "
										  "of a function that profcc has compiled)"
										: "the program has not marked a request (see runprofile.h), so there is no profile");
	} else if (recording->n_written == 0 && !recording->error && !WIFSIGNALED(recording->main_status) &&
	    WEXITSTATUS(recording->main_status) < 126)
		explain_nothing(recording->program);
	rps_collector_destroy(collector);
	return 0;
}

static int parse_ms(const char *text, uint32_t *ms)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || number > 3600000)
		return -EINVAL;
	*ms = (uint32_t)number;
	return 0;
}

int rps_command_record(int argc, char **argv)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
						{"kcachegrind", no_argument, NULL, 'k'},
						{"request", required_argument, NULL, 'r'},
						{"scope", required_argument, NULL, 'c'},
						{"settle", required_argument, NULL, 's'},
						{"events", required_argument, NULL, 'e'},
						{"exact-time", no_argument, NULL, 't'},
						{"no-time", no_argument, NULL, 'n'},
						{"quiet", no_argument, NULL, 'q'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct recording recording = {.writer = rps_pprof_write, .scope = RPS_SCOPE_APPLICATION};
	const char *conflict;
	char why[512];
	int option, status;

	while ((option = getopt_long(argc, argv, "+o:qh", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			recording.output = optarg;
			break;
		case 'k':
			recording.writer = rps_callgrind_write;
			break;
		case 'r':
			if (strlen(optarg) == 0 || strlen(optarg) >= RPS_REQUEST_FUNCTION_MAX) {
				rps_complain("bad value for --request: give the name of a function");
				return 2;
			}
			recording.request_function = optarg;
			recording.scope = RPS_SCOPE_REQUEST;
			break;
		case 'c':
			if (strcmp(optarg, "application") != 0 && strcmp(optarg, "request") != 0) {
				rps_complain("bad value '%.100s' for --scope: give request or application", optarg);
				return 2;
			}
			recording.scope = *optarg == 'r' ? RPS_SCOPE_REQUEST : RPS_SCOPE_APPLICATION;
			break;
		case 's':
			if (parse_ms(optarg, &recording.settle_ms) != 0) {
				rps_complain("bad value '%.100s' for --settle: give milliseconds, 0 to 3600000", optarg);
				return 2;
			}
			recording.has_settle = 1;
			break;
		case 'e':
			if (rps_events_parse(optarg, &recording.events, why, sizeof(why)) != 0) {
				rps_complain("bad value '%.100s' for --events: %s", optarg, why);
				return 2;
			}
			break;
		case 't':
			recording.time = RPS_TIME_EACH_CALL;
			break;
		case 'n':
			recording.time = RPS_TIME_NEVER;
			break;
		case 'q':
			recording.is_quiet = 1;
			break;
		case 'h':
			help(stdout);
			return 0;
		default:
			fputs("runprofile record --help lists the options\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		rps_complain("of which program? runprofile record [OPTION]... PROGRAM [ARG]... (--help tells more)");
		return 2;
	}
	if (recording.request_function != NULL && recording.scope != RPS_SCOPE_REQUEST) {
		rps_complain("--request and --scope=application exclude each other");
		return 2;
	}
	conflict = rps_collector_conflict(recording.time, recording.events);
	if (conflict != NULL) {
		rps_complain("%s", conflict);
		return 2;
	}
	recording.program = argv[optind];
	recording.command = join_words(argv + optind);
	status = record(&recording, argv + optind);
	free(recording.command);
	if (status != 0 || recording.error)
		return 1;
	/* What a shell makes of a signal. */
	return WIFSIGNALED(recording.main_status) ? 128 + WTERMSIG(recording.main_status)
						  : WEXITSTATUS(recording.main_status);
}
