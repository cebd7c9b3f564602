/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofileserver's main thread: start-up in an order that leaves nothing
 * behind when something is wrong (checks first, then the port, then the
 * application), waiting for signals, and the way out. Exit statuses: 0 ended by
 * a signal; 1 the application could not be started; 2 bad input. */
#include "profile/callgrind_write.h"
#include "profile/pprof_write.h"
#include "server/app.h"
#include "server/app_elf.h"
#include "server/front.h"
#include "server/gateway.h"
#include "server/message.h"
#include "server/options.h"
#include "server/own_profile.h"
#include "collect/paths.h"
#include "server/server.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define EXIT_APPLICATION 1
#define EXIT_INPUT 2

#define PORT_WAIT_MS 10000   /* for the application to listen */
#define PORT_GRACE_MS 50     /* for the port it was offered, once it listens on another */
#define PORT_TELL_MS 3000    /* how often the wait is mentioned */
#define FINISH_WAIT_MS 10000 /* for requests in flight, at the end */
#define GIVE_UP_WAIT_MS 1000 /* for their clients to be told */
#define APP_GRACE_MS 5000

struct startup {
	struct rps_options options;
	struct rps_server server;
	struct rps_app_elf elf;
	struct rps_app_command command;
	struct rps_front *front;
	char *runtime_path;
	const char *gateway_why;
	sigset_t signals;
	int status;
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

/* What APP is, and what would start it. */
static int look_at_app(struct startup *s, char *error, size_t error_size)
{
	struct rps_app_command *command = &s->command;

	command->shown = strdup(s->options.app[0]);
	command->program = rps_path_program(s->options.app[0], error, error_size);
	if (!command->shown || !command->program)
		return -ENOENT;
	if (rps_app_elf_read(command->program, &s->elf, error, error_size))
		return -ENOEXEC;
	s->server.gateway =
	    rps_gateway_choose(s->options.gateway, &s->elf, &s->gateway_why, error, error_size);
	if (!s->server.gateway)
		return -EINVAL;
	if (s->elf.kind != RPS_APP_MODULE && access(command->program, X_OK)) {
		snprintf(error, error_size, "cannot run %s: %s (chmod +x %s, if it is a program)",
			 command->shown, strerror(errno), command->shown);
		return -EACCES;
	}
	return s->server.gateway->prepare(command, &s->options, &s->elf, error, error_size);
}

static int prepare(struct startup *s, char *error, size_t error_size)
{
	struct rps_server *server = &s->server;

	server->options = &s->options;
	server->store = rps_store_open(s->options.prof_path, s->options.prof_file,
				       s->options.kcachegrind ? rps_callgrind_write : rps_pprof_write, error,
				       error_size);
	if (!server->store)
		return -EINVAL;
	server->statics = rps_static_files_open(s->options.mounts, s->options.n_mounts, error, error_size);
	if (!server->statics || look_at_app(s, error, error_size))
		return -EINVAL;
	s->runtime_path = rps_path_runtime(error, error_size);
	if (!s->runtime_path)
		return -ENOENT;
	server->app_command_line = join(s->options.app);
	s->front = rps_front_listen(server, s->options.address, s->options.port, error, error_size);
	return s->front ? 0 : -EADDRINUSE;
}

static void warn_if_uninstrumented(const struct startup *s)
{
	if (s->elf.is_instrumented)
		return;
	if (s->elf.kind == RPS_APP_OTHER)
		rps_message_complain(
		    "%s is a script, so it can't be seen whether what it runs was built with "
		    "profcc",
		    s->command.shown);
	else
		rps_message_complain("%s looks uninstrumented: its profiles would be empty (rebuild it with "
				     "CC=profcc CXX=profc++)",
				     s->command.shown);
}

/* ---- Starting the application ------------------------------------------------------------------ */

static void take_own(void *cls, struct rps_profile *profile, const struct rps_collect_info *info,
		     const struct rps_own_request *request)
{
	rps_own_profile_write(cls, profile, info, request);
}

static int make_shared(struct startup *s, char *error, size_t error_size)
{
	struct rps_server *server = &s->server;
	const struct rps_collector_options options = {
	    .scope = s->options.request_function ? RPS_SCOPE_REQUEST : s->options.scope,
	    .request_function = s->options.request_function,
	    .take_own = take_own,
	    .take_own_cls = server,
	    .runtime_path = s->runtime_path,
	    .time = s->options.time,
	    .settle_ms = s->options.settle_ms,
	    .defer_accept = s->options.scope != RPS_SCOPE_REQUEST,
	};

	server->collector = rps_collector_create(&options, error, error_size);
	if (!server->collector)
		return -EIO;
	server->context.pool = rps_upstream_pool_create(&server->stopping);
	server->context.app = rps_app_create(&s->command, rps_collector_environ(server->collector));
	if (server->context.pool && server->context.app)
		return 0;
	snprintf(error, error_size, "out of memory");
	return -ENOMEM;
}

static int is_end_signal(int number)
{
	return number == SIGINT || number == SIGTERM || number == SIGHUP;
}

/* Until the application listens. 0; 1 when a signal says to end; -1 after a message. */
static int wait_for_port(struct startup *s)
{
	struct rps_app *app = s->server.context.app;
	unsigned waited_ms = 0, step_ms = 2, told_ms = 0, found_ms = 0;
	char how[128];

	for (;;) {
		struct timespec step;
		int rc = rps_app_find_port(app), number;

		/* Of several sockets the one with the offered port is meant: it may come last. */
		if (rc == 1 && (rps_app_took_port(app) || found_ms >= PORT_GRACE_MS))
			return 0;
		if (rc == 1)
			found_ms += step_ms;
		if (rps_app_has_ended(app, 0, how, sizeof(how))) {
			rps_message_complain("%s %s before it listened on a port", s->command.shown, how);
			return -1;
		}
		if (rc < 0) {
			rps_message_complain("cannot find out the port of %s: %s (name it with --app-port=N)",
					     s->command.shown, strerror(-rc));
			return -1;
		}
		if (waited_ms >= PORT_WAIT_MS) {
			rps_message_complain("%s listens on %s after %u s (%s)", s->command.shown,
					     s->options.app_port ? "another port than --app-port says"
								 : "no port",
					     PORT_WAIT_MS / 1000,
					     s->options.app_port ? "leave the option out"
								 : "give it PORT or {port}, or name its port "
								   "with --app-port=N");
			return -1;
		}
		if (waited_ms >= told_ms + PORT_TELL_MS) {
			told_ms = waited_ms;
			rps_message_say("Waiting for %s to listen on a port ...", s->command.shown);
		}
		step.tv_sec = 0;
		step.tv_nsec = (long)step_ms * 1000000;
		number = sigtimedwait(&s->signals, NULL, &step);
		if (is_end_signal(number))
			return 1;
		if (number == SIGCHLD)
			rps_app_reap(app);
		waited_ms += step_ms;
		if (step_ms < 50)
			step_ms *= 2;
	}
}

/* The first connection makes an application do what it does once (bind
 * symbols, start a thread): not within the first request, where the whole
 * application counts. It carries no request; many an application does not even
 * notice it. */
static void warm_up(struct startup *s)
{
	struct rps_collection *collection;
	struct rps_collect_info info;
	struct rps_profile *profile;
	uint64_t id;
	int fd;

	if (rps_collector_scope(s->server.collector) != RPS_SCOPE_APPLICATION)
		return;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id) || !id)
		id = 1;
	collection = rps_collector_begin(s->server.collector, id);
	if (!collection)
		return;
	fd = rps_app_connect(s->server.context.app);
	if (fd >= 0)
		close(fd);
	else
		rps_message_complain("cannot connect to %s: %s", rps_app_address(s->server.context.app),
				     strerror(-fd));
	/* Not abandoned: its end waits until the application is quiet. */
	if (!rps_collector_end(collection, "warm-up", &profile, &info))
		rps_profile_destroy(profile);
	rps_collector_leave(collection);
}

static void greet(const struct startup *s)
{
	const struct rps_server *server = &s->server;
	struct rps_collector_stats stats;
	int is_request_scope = rps_collector_scope(server->collector) == RPS_SCOPE_REQUEST;

	rps_collector_get_stats(server->collector, &stats);
	rps_message_say("RunProfileServer version %s, profiles in %s (%s)", PACKAGE_VERSION,
			s->options.prof_path, s->options.kcachegrind ? "callgrind" : "pprof");
	rps_message_say("Application %s (pid %d) listens on %s; gateway: %s (%s); scope: %s",
			s->command.shown, (int)rps_app_pid(server->context.app),
			rps_app_address(server->context.app), server->gateway->name, s->gateway_why,
			s->options.request_function ? "request (calls of the function that --request names)"
			: !is_request_scope  ? "application (one request at a time)"
			: stats.n_adapters ? "request (libmicrohttpd)"
					   : "request");
	for (size_t i = 0; i < s->options.n_mounts; i++)
		rps_message_say("Static files of %s at %s/", s->options.mounts[i].directory,
				s->options.mounts[i].url);
	rps_message_say("Profiling server is running at http://%s/", server->front_host);
	rps_message_say("Quit the server with CONTROL-C.");
}

/* ---- Serving, and the way out ------------------------------------------------------------------ */

static void on_child_signal(struct startup *s)
{
	struct rps_app *app = s->server.context.app;
	char how[128];

	if (!rps_app_reap(app))
		return;
	rps_app_has_ended(app, 0, how, sizeof(how));
	rps_message_complain("the application %s (pid %d) %s; requests are answered with 502 (quit with "
			     "CONTROL-C and start again)",
			     s->command.shown, (int)rps_app_pid(app), how);
}

static void serve(struct startup *s)
{
	for (;;) {
		int number = sigwaitinfo(&s->signals, NULL);

		if (number == SIGCHLD)
			on_child_signal(s);
		else if (is_end_signal(number))
			return;
	}
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
		number = sigtimedwait(&s->signals, NULL, &step);
		if (number == SIGCHLD)
			rps_app_reap(server->context.app);
		else if (is_end_signal(number))
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
	}
	rps_app_stop(server->context.app, APP_GRACE_MS, &s->signals);
}

static void say_goodbye(const struct startup *s)
{
	struct rps_collector_stats stats;
	char text[512];

	rps_collector_get_stats(s->server.collector, &stats);
	rps_tally_format(&s->server.tally, &stats, s->options.prof_path, text, sizeof(text));
	rps_message_say("%s", text);
}

static int run(struct startup *s)
{
	struct rps_server *server = &s->server;
	char error[1024] = "";
	int rc;

	if (prepare(s, error, sizeof(error))) {
		rps_message_complain("%s", error);
		return EXIT_INPUT;
	}
	if (make_shared(s, error, sizeof(error))) {
		rps_message_complain("%s", error);
		return EXIT_APPLICATION;
	}
	rc = rps_app_start(server->context.app, error, sizeof(error));
	if (rc) {
		rps_message_complain("%s", error);
		return EXIT_INPUT;
	}
	warn_if_uninstrumented(s);
	rc = wait_for_port(s);
	if (rc) {
		rps_app_stop(server->context.app, APP_GRACE_MS, &s->signals);
		return rc > 0 ? 0 : EXIT_APPLICATION;
	}
	warm_up(s);
	if (rps_front_start(s->front, error, sizeof(error))) {
		rps_message_complain("%s", error);
		return EXIT_APPLICATION;
	}
	greet(s);
	serve(s);
	if (finish_requests(s))
		give_up_requests(s);
	rps_front_destroy(s->front);
	s->front = NULL;
	rps_app_stop(server->context.app, APP_GRACE_MS, &s->signals);
	say_goodbye(s);
	return 0;
}

static void clean_up(struct startup *s)
{
	struct rps_server *server = &s->server;

	rps_front_destroy(s->front);
	rps_app_destroy(server->context.app);
	rps_upstream_pool_destroy(server->context.pool);
	rps_collector_destroy(server->collector);
	rps_static_files_close(server->statics);
	rps_store_close(server->store);
	rps_app_command_clear(&s->command);
	free(server->app_command_line);
	free(s->runtime_path);
	rps_options_clear(&s->options);
}

/* Threads inherit the mask, so that signals come to sigwaitinfo only. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* an ignored one, inherited, would reap by itself */
}

int main(int argc, char **argv)
{
	static struct startup s;
	int status = read_options(&s, argc, argv);

	if (!status && s.options.help) {
		rps_options_print_usage(stdout);
	} else if (!status && s.options.version) {
		printf("runprofileserver (RunProfileServer) %s\n", PACKAGE_VERSION);
	} else if (!status) {
		block_signals(&s.signals);
		curl_global_init(CURL_GLOBAL_DEFAULT);
		status = run(&s);
	}
	clean_up(&s);
	return status;
}
