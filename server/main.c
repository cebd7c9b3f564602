/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofileserver's main thread: start-up in an order that leaves nothing
 * behind when something is wrong (checks first, then the port, then the
 * application), supervision (supervisor.c), and the way out. Exit statuses: 0 ended by
 * a signal; 1 the application could not be started; 2 bad input. */
#include "profile/callgrind_write.h"
#include "profile/pprof_write.h"
#include "collect/paths.h"
#include "collect/preloading.h"
#include "server/front.h"
#include "server/message.h"
#include "server/options.h"
#include "server/own_profile.h"
#include "server/server.h"
#include "server/supervisor.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_APPLICATION 1
#define EXIT_INPUT 2

#define FINISH_WAIT_MS 10000 /* for requests in flight, at the end */
#define GIVE_UP_WAIT_MS 1000 /* for their clients to be told */

struct startup {
	struct rps_options options;
	struct rps_server server;
	struct rps_supervisor supervisor;
	struct rps_front *front;
	char *runtime_path;
};

/* ---- Options ------------------------------------------------------------------------------- */

static int read_options(struct startup *s, int argc, char **argv)
{
	char error[1024] = "";
	int rc;

	if (rps_options_init(&s->options))
		return EXIT_INPUT;
	if (rps_options_parse(&s->options, argc, argv, error, sizeof(error)))
		goto bad;
	if (s->options.app || s->options.help || s->options.version)
		return 0;
	/* The file first, the command line over it. */
	rps_options_clear(&s->options);
	if (rps_options_init(&s->options))
		return EXIT_INPUT;
	rc = rps_options_read_file(&s->options, RPS_OPTIONS_FILE, error, sizeof(error));
	if (rc == -ENOENT) {
		rps_options_print_usage(stderr);
		return EXIT_INPUT;
	}
	if (rc || rps_options_parse(&s->options, argc, argv, error, sizeof(error)))
		goto bad;
	if (s->options.app)
		return 0;
	snprintf(error, sizeof(error), "%s names no application (add a line: app = ./shop)",
		 RPS_OPTIONS_FILE);
bad:
	rps_message_complain("%s", error);
	return EXIT_INPUT;
}

/* ---- Before anything is started --------------------------------------------------------------- */

static char *join(char *const *words)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && words[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", words[i]);
	if (out && fclose(out)) {
		free(text);
		text = NULL;
	}
	return text;
}

static int open_store(struct startup *s, char *error, size_t error_size)
{
	const struct rps_options *options = &s->options;

	s->server.store =
	    rps_store_open(options->prof_path, options->prof_file,
			   options->kcachegrind ? rps_callgrind_write : rps_pprof_write, error, error_size);
	if (!s->server.store)
		return -EINVAL;
	if (!options->keep_n && !options->keep_bytes)
		return 0;
	return rps_store_keep(s->server.store, options->keep_n, options->keep_bytes);
}

static void take_own(void *cls, struct rps_profile *profile, const struct rps_collect_info *info,
		     const struct rps_own_request *request)
{
	rps_own_profile_write(cls, profile, info, request);
}

static enum rps_scope chosen_scope(const struct startup *s)
{
	/* Where each request has processes of its own, all that they do is the request. */
	if (s->server.gateway->is_per_request)
		return RPS_SCOPE_APPLICATION;
	return s->options.request_function ? RPS_SCOPE_REQUEST : s->options.scope;
}

static void prepare_sessions(struct startup *s)
{
	const struct rps_collector_options options = {
	    .scope = chosen_scope(s),
	    .request_function = s->options.request_function,
	    .take_own = take_own,
	    .take_own_cls = &s->server,
	    .runtime_path = s->runtime_path,
	    .time = s->options.time,
	    .events = s->options.events,
	    .settle_ms = s->options.settle_ms,
	    .defer_accept = s->options.scope != RPS_SCOPE_REQUEST,
	};

	rps_sessions_init(&s->server.sessions, &options);
}

static int prepare(struct startup *s, char *error, size_t error_size)
{
	struct rps_server *server = &s->server;
	const struct rps_options *options = &s->options;

	const char *conflict = rps_collector_conflict(options->time, options->events);

	server->options = options;
	if (conflict) {
		snprintf(error, error_size, "%s", conflict);
		return -EINVAL;
	}
	if (options->watch.n && !options->build) {
		snprintf(error, error_size, "--watch=DIR says when to build, but not how (add --build=CMD)");
		return -EINVAL;
	}
	if (options->build && !options->watch.n) {
		snprintf(error, error_size,
			 "--build=CMD is run when sources change, but which? (add --watch=DIR)");
		return -EINVAL;
	}
	if (open_store(s, error, error_size))
		return -EINVAL;
	server->statics = rps_static_files_open(options->mounts, options->n_mounts, options->follow_links,
						error, error_size);
	if (!server->statics || rps_supervisor_prepare(&s->supervisor, server, error, error_size))
		return -EINVAL;
	s->runtime_path = rps_path_runtime(error, error_size);
	if (!s->runtime_path)
		return -ENOENT;
	prepare_sessions(s);
	rps_gate_init(&server->gate);
	rps_turn_init(&server->turn, options->request_timeout_ms);
	server->app_command_line = join(options->app);
	server->context.pool = rps_upstream_pool_create(&server->stopping);
	s->front = rps_front_listen(server, error, error_size);
	return s->front ? 0 : -EADDRINUSE;
}

static void warn_if_uninstrumented(const struct startup *s)
{
	const struct rps_app_elf *elf = &s->supervisor.elf;
	const char *hindrance = elf->kind == RPS_APP_PROGRAM ? rps_preloading_hindrance(s->supervisor.command.program) : NULL;

	if (elf->is_instrumented && !elf->is_of_profcc && hindrance)
		rps_message_complain("%s will have no profiles: %s", s->server.context.shown, hindrance);
	if (elf->is_instrumented || elf->kind == RPS_APP_DIRECTORY)
		return;
	if (elf->kind == RPS_APP_OTHER)
		rps_message_complain(
		    "%s is a script, so it can't be seen whether what it runs was built with "
		    "profcc",
		    s->server.context.shown);
	else
		rps_message_complain("%s looks uninstrumented: its profiles would be empty (rebuild it with "
				     "CC=profcc CXX=profc++)",
				     s->server.context.shown);
}

/* ---- Serving, and the way out ------------------------------------------------------------------ */

static const char *scope_text(const struct startup *s, char *text, size_t size)
{
	const struct rps_server *server = &s->server;
	struct rps_collector_stats stats;

	if (server->gateway->is_per_request)
		return "the request's own process";
	if (s->options.request_function)
		return "request (calls of the function that --request names)";
	if (rps_collector_scope(s->supervisor.session->collector) != RPS_SCOPE_REQUEST)
		return "application (one request at a time)";
	rps_collector_get_stats(s->supervisor.session->collector, &stats);
	if (!stats.n_adapters || !server->gateway->adapter)
		return "request";
	snprintf(text, size, "request (%s)", server->gateway->adapter);
	return text;
}

static void greet(const struct startup *s)
{
	const struct rps_server *server = &s->server;
	const char *shown = server->context.shown;
	char scope[64], address[RPS_ADDRESS_TEXT_MAX];

	rps_message_say("RunProfileServer version %s, profiles in %s (%s)", PACKAGE_VERSION,
			s->options.prof_path, s->options.kcachegrind ? "callgrind" : "pprof");
	if (server->context.app)
		rps_message_say("Application %s (pid %d) listens on %s; gateway: %s (%s); scope: %s", shown,
				(int)rps_app_pid(server->context.app), rps_app_address(server->context.app, address),
				server->gateway->name, s->supervisor.gateway_why,
				scope_text(s, scope, sizeof(scope)));
	else
		rps_message_say("Application %s; gateway: %s (%s); scope: %s", shown, server->gateway->name,
				s->supervisor.gateway_why, scope_text(s, scope, sizeof(scope)));
	if (*s->options.mount)
		rps_message_say("The application is at %s/", s->options.mount);
	for (size_t i = 0; i < s->options.n_mounts; i++)
		rps_message_say("Static files of %s at %s/", s->options.mounts[i].directory,
				s->options.mounts[i].url);
	rps_message_say("Profiling server is running at %s", server->front_shown);
	rps_message_say("Quit the server with CONTROL-C.");
}

/* Waits for the requests in flight. 0 when all have ended, 1 when time or
 * patience has. */
static int finish_requests(struct startup *s)
{
	struct rps_server *server = &s->server;
	unsigned waited_ms = 0;

	atomic_store(&server->closing, 1);
	rps_front_quiesce(s->front);
	while (atomic_load(&server->in_flight)) {
		const struct timespec step = {.tv_nsec = 10 * 1000000};
		int number;

		if (waited_ms == 500)
			rps_message_say("Finishing %u requests; CONTROL-C again gives them up ...",
					atomic_load(&server->in_flight));
		if (waited_ms >= FINISH_WAIT_MS)
			return 1;
		number = sigtimedwait(&s->supervisor.signals, NULL, &step);
		if (number == SIGCHLD && server->context.app)
			rps_app_reap(server->context.app);
		else if (number == SIGCHLD)
			rps_process_reap();
		else if (rps_supervisor_is_end_signal(number))
			return 1;
		else
			waited_ms += 10;
	}
	return 0;
}

/* Their clients are told (503); then the application goes first, since the
 * collector waits for what it is still doing for them as long as it lives. */
static void give_up_requests(struct startup *s)
{
	struct rps_server *server = &s->server;

	atomic_store(&server->stopping, 1);
	for (unsigned waited_ms = 0; atomic_load(&server->in_flight) && waited_ms < GIVE_UP_WAIT_MS;
	     waited_ms += 10) {
		const struct timespec step = {.tv_nsec = 10 * 1000000};

		nanosleep(&step, NULL);
		rps_process_reap();
	}
	rps_supervisor_stop(&s->supervisor);
	rps_process_reap();
}

static void say_goodbye(struct startup *s)
{
	struct rps_collector_stats stats;
	char text[1024];

	rps_sessions_get_stats(&s->server.sessions, s->supervisor.session, &stats);
	rps_tally_format(&s->server.tally, &stats, rps_store_n_removed(s->server.store), s->options.prof_path,
			 text, sizeof(text));
	rps_message_say("%s", text);
}

static int run(struct startup *s)
{
	char error[1024] = "";
	int rc;

	if (prepare(s, error, sizeof(error))) {
		rps_message_complain("%s", error);
		return EXIT_INPUT;
	}
	rc = rps_supervisor_start(&s->supervisor);
	if (rc)
		return rc > 0 ? 0 : -rc;
	warn_if_uninstrumented(s);
	if (rps_front_start(s->front, error, sizeof(error))) {
		rps_message_complain("%s", error);
		return EXIT_APPLICATION;
	}
	greet(s);
	rps_supervisor_run(&s->supervisor);
	if (finish_requests(s))
		give_up_requests(s);
	rps_front_destroy(s->front);
	s->front = NULL;
	rps_supervisor_stop(&s->supervisor);
	say_goodbye(s);
	return 0;
}

static void clean_up(struct startup *s)
{
	struct rps_server *server = &s->server;

	rps_front_destroy(s->front);
	rps_supervisor_clear(&s->supervisor);
	rps_upstream_pool_destroy(server->context.pool);
	rps_sessions_clear(&server->sessions);
	rps_static_files_close(server->statics);
	rps_store_close(server->store);
	free(server->app_command_line);
	free((void *)(uintptr_t)server->context.program);
	if (server->context.directory_fd > 0)
		close(server->context.directory_fd);
	free(s->runtime_path);
	rps_options_clear(&s->options);
}

/* Threads inherit the mask, so that signals come to the main thread's descriptor only. */
static void block_signals(sigset_t *signals)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1};

	sigemptyset(signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(signals, numbers[i]);
	sigprocmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* an ignored one, inherited, would reap by itself */
}

int main(int argc, char **argv)
{
	static struct startup s;
	int status = read_options(&s, argc, argv);

	s.supervisor.command.listen_fd = -1;
	if (!status && s.options.help) {
		rps_options_print_usage(stdout);
	} else if (!status && s.options.version) {
		printf("runprofileserver (RunProfileServer) %s\n", PACKAGE_VERSION);
	} else if (!status) {
		block_signals(&s.supervisor.signals);
		curl_global_init(CURL_GLOBAL_DEFAULT);
		status = run(&s);
	}
	clean_up(&s);
	return status;
}
