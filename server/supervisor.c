/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See supervisor.h. Called by main.c.
 *
 *              changed, SIGHUP              the last has left
 *     RUNS ───────────────────▶ DRAINS ───────────────────────┐
 *      ▲ │                                                    │
 *      │ └─────────ended───────▶ DOWN ──────back-off──────▶ start_app
 *      └──────────────────────────────────────────────────────┘
 *
 * How it is started, and found to listen, is in supervisor_start.c.
 */
#include "server/supervisor.h"

#include "server/clock.h"
#include "server/message.h"
#include "server/supervisor_start.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define BACK_OFF_FIRST_MS 250
#define BACK_OFF_LAST_MS 10000
#define BACK_OFF_PAGE_MS 1000 /* shorter ones are waited for */
#define STABLE_MS 10000       /* what has run so long has not failed at its start */
#define DRAIN_STEP_MS 5
#define APP_GRACE_MS 5000

int rps_supervisor_is_end_signal(int number)
{
	return number == SIGINT || number == SIGTERM;
}

/* ---- Up and down ---------------------------------------------------------------------- */

static void open_gate(struct rps_supervisor *supervisor)
{
	if (!supervisor->build_has_failed)
		rps_gate_open(&supervisor->server->gate, supervisor->session);
}

static void on_up(struct rps_supervisor *supervisor)
{
	supervisor->state = RPS_SUPERVISOR_RUNS;
	supervisor->started_ms = rps_clock_now_ms();
	open_gate(supervisor);
	if (supervisor->watch)
		rps_watch_set_app(supervisor->watch, supervisor->server->context.app
							 ? rps_app_pid(supervisor->server->context.app)
							 : 0);
}

/* It has ended, or did not come up, for the reason in `how`: "was killed by SIGSEGV". */
static void on_down(struct rps_supervisor *supervisor, const char *how)
{
	struct rps_server *server = supervisor->server;
	uint64_t now = rps_clock_now_ms(), delay_ms = 0;
	char reason[2048];

	if (supervisor->state == RPS_SUPERVISOR_RUNS && now - supervisor->started_ms > STABLE_MS)
		supervisor->n_failures = 0;
	if (supervisor->n_failures) {
		delay_ms = (uint64_t)BACK_OFF_FIRST_MS
			   << (supervisor->n_failures < 8 ? supervisor->n_failures - 1 : 7);
		delay_ms = delay_ms < BACK_OFF_LAST_MS ? delay_ms : BACK_OFF_LAST_MS;
	}
	supervisor->n_failures++;
	supervisor->state = RPS_SUPERVISOR_DOWN;
	supervisor->start_ms = now + delay_ms;
	if (delay_ms)
		rps_message_complain("the application %s %s; it is started again in %.2g s",
				     server->context.shown, how, (double)delay_ms / 1000);
	else
		rps_message_complain("the application %s %s; it is started again", server->context.shown,
				     how);
	if (delay_ms < BACK_OFF_PAGE_MS) {
		/* The next requests wait for it. */
		rps_gate_close(&server->gate);
		return;
	}
	snprintf(reason, sizeof(reason),
		 "The application %s %s.\n\nIt has failed %u times in a row; it is started again after %.2g "
		 "s%s.",
		 server->context.shown, how, supervisor->n_failures, (double)delay_ms / 1000,
		 supervisor->watch ? ", or when its file changes" : "");
	rps_gate_break(&server->gate, reason);
}

/* 0, or 1 when a signal said to end meanwhile. */
static int start_again(struct rps_supervisor *supervisor)
{
	char why[1024] = "", how[1100];
	int rc = rps_supervisor_start_app(supervisor, why, sizeof(why));

	if (rc > 0)
		return 1;
	if (rc < 0) {
		snprintf(how, sizeof(how), "%s%s", rc == -ENOEXEC ? "can't be started: " : "", why);
		on_down(supervisor, how);
		return 0;
	}
	on_up(supervisor);
	rps_message_say("Application %s runs again (pid %d)", supervisor->server->context.shown,
			(int)rps_app_pid(supervisor->server->context.app));
	return 0;
}

static void begin_reload(struct rps_supervisor *supervisor, const char *why)
{
	const struct rps_server *server = supervisor->server;

	if (supervisor->state == RPS_SUPERVISOR_DOWN) {
		supervisor->n_failures = 0;
		supervisor->start_ms = rps_clock_now_ms();
		return;
	}
	if (supervisor->state == RPS_SUPERVISOR_DRAINS)
		return;
	rps_message_say("Restarting %s: %s", server->context.shown, why);
	supervisor->state = RPS_SUPERVISOR_DRAINS;
	supervisor->deadline_ms = rps_clock_now_ms() + server->options->request_timeout_ms;
	rps_gate_close(&supervisor->server->gate);
}

static int end_reload(struct rps_supervisor *supervisor)
{
	rps_app_stop(supervisor->server->context.app, APP_GRACE_MS, &supervisor->signals);
	supervisor->n_failures = 0;
	supervisor->state = RPS_SUPERVISOR_DOWN;
	return start_again(supervisor);
}

static void on_child(struct rps_supervisor *supervisor)
{
	struct rps_app *app = supervisor->server->context.app;
	char how[128];

	if (!app) {
		rps_process_reap();
		return;
	}
	if (!rps_app_reap(app) || supervisor->state == RPS_SUPERVISOR_DOWN)
		return;
	rps_app_has_ended(app, 0, how, sizeof(how));
	if (supervisor->state == RPS_SUPERVISOR_DRAINS)
		supervisor->deadline_ms = rps_clock_now_ms(); /* nothing to wait for */
	else
		on_down(supervisor, how);
}

/* ---- Building ---------------------------------------------------------------------------- */

static void on_build_end(struct rps_supervisor *supervisor)
{
	struct rps_server *server = supervisor->server;
	char *page;

	supervisor->build_has_failed = !rps_build_has_succeeded(supervisor->build);
	if (supervisor->build_has_failed) {
		page = rps_build_page(supervisor->build);
		rps_gate_break(&server->gate, page ? page : "The build has failed.");
		free(page);
		rps_message_complain("the build has failed; requests are answered with its errors");
		return;
	}
	rps_message_say("The build has ended");
	if (rps_watch_app_has_changed(supervisor->watch) && server->context.app)
		begin_reload(supervisor, "it was built");
	else if (supervisor->state == RPS_SUPERVISOR_RUNS)
		open_gate(supervisor);
}

static void on_watch(struct rps_supervisor *supervisor)
{
	int changed =
	    rps_watch_read(supervisor->watch, supervisor->build && rps_build_is_running(supervisor->build));

	if ((changed & RPS_WATCH_SOURCES) && supervisor->build)
		rps_build_want(supervisor->build);
}

/* What has changed, once it has been left in peace for a moment. */
static void act_on_changes(struct rps_supervisor *supervisor)
{
	const char *file;

	if (supervisor->build && rps_build_is_due(supervisor->build))
		rps_build_start(supervisor->build);
	if (supervisor->build && rps_build_is_running(supervisor->build))
		return;
	file = supervisor->watch ? rps_watch_take_app_change(supervisor->watch) : NULL;
	if (file && supervisor->server->context.app && !supervisor->server->options->noreload) {
		char why[512];

		snprintf(why, sizeof(why), "%s has changed", file);
		begin_reload(supervisor, why);
	}
}

/* ---- The loop --------------------------------------------------------------------------------- */

static void toggle(struct rps_supervisor *supervisor)
{
	int is_off = !atomic_fetch_xor(&supervisor->server->choice.is_off, 1);

	rps_message_say(is_off ? "Profiling is off (SIGUSR1 switches it on)" : "Profiling is on");
}

/* 1 when it says to end. */
static int on_signal(struct rps_supervisor *supervisor)
{
	struct signalfd_siginfo info;

	if (read(supervisor->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGCHLD)
		on_child(supervisor);
	else if (info.ssi_signo == SIGUSR1)
		toggle(supervisor);
	else if (info.ssi_signo == SIGHUP && info.ssi_code == SI_KERNEL)
		return 1; /* the terminal has gone */
	else if (info.ssi_signo == SIGHUP && supervisor->server->context.app)
		begin_reload(supervisor, "SIGHUP");
	return rps_supervisor_is_end_signal((int)info.ssi_signo);
}

/* Milliseconds to wait for events, -1 for ever. */
static int patience(const struct rps_supervisor *supervisor)
{
	uint64_t now = rps_clock_now_ms();

	if (supervisor->state == RPS_SUPERVISOR_DRAINS)
		return DRAIN_STEP_MS;
	if (supervisor->state == RPS_SUPERVISOR_DOWN)
		return supervisor->start_ms > now ? (int)(supervisor->start_ms - now) : 0;
	if ((supervisor->watch && rps_watch_is_waiting(supervisor->watch)) ||
	    (supervisor->build && rps_build_is_wanted(supervisor->build)))
		return 20;
	return -1;
}

void rps_supervisor_run(struct rps_supervisor *supervisor)
{
	for (;;) {
		struct pollfd fds[3] = {
		    {.fd = supervisor->signal_fd, .events = POLLIN},
		    {.fd = supervisor->watch ? rps_watch_fd(supervisor->watch) : -1, .events = POLLIN},
		    {.fd = supervisor->build ? rps_build_fd(supervisor->build) : -1, .events = POLLIN},
		};
		int n = poll(fds, 3, patience(supervisor));

		if (n > 0 && fds[0].revents && on_signal(supervisor))
			return;
		if (n > 0 && fds[1].revents)
			on_watch(supervisor);
		if (n > 0 && fds[2].revents && rps_build_read(supervisor->build))
			on_build_end(supervisor);
		act_on_changes(supervisor);
		if (supervisor->state == RPS_SUPERVISOR_DRAINS &&
		    (rps_gate_is_empty(&supervisor->server->gate) || rps_clock_now_ms() >= supervisor->deadline_ms) &&
		    end_reload(supervisor))
			return;
		if (supervisor->state == RPS_SUPERVISOR_DOWN && rps_clock_now_ms() >= supervisor->start_ms &&
		    start_again(supervisor))
			return;
	}
}

/* ---- Life -------------------------------------------------------------------------------------- */

int rps_supervisor_start(struct rps_supervisor *supervisor)
{
	const struct rps_options *options = supervisor->server->options;
	char why[1024] = "";
	int rc;

	supervisor->signal_fd = signalfd(-1, &supervisor->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	rc = rps_supervisor_start_app(supervisor, why, sizeof(why));
	if (rc > 0)
		return 1;
	if (rc == -ENOEXEC) {
		rps_message_complain("%s", why);
		return -2;
	}
	if (rc) {
		rps_message_complain("%s %s", supervisor->server->context.shown, why);
		return -1;
	}
	if (!options->noreload || options->build)
		supervisor->watch = rps_watch_create(&options->watch, supervisor->server->context.program);
	if (options->build)
		supervisor->build = rps_build_create(options->build);
	on_up(supervisor);
	return 0;
}

void rps_supervisor_stop(struct rps_supervisor *supervisor)
{
	if (supervisor->build)
		rps_build_stop(supervisor->build);
	if (supervisor->server->context.app)
		rps_app_stop(supervisor->server->context.app, APP_GRACE_MS, &supervisor->signals);
	else
		rps_app_kill_descendants();
}

void rps_supervisor_clear(struct rps_supervisor *supervisor)
{
	if (!supervisor->server)
		return;
	rps_build_destroy(supervisor->build);
	rps_watch_destroy(supervisor->watch);
	rps_app_destroy(supervisor->server->context.app);
	supervisor->server->context.app = NULL;
	rps_session_put(supervisor->session);
	rps_app_command_clear(&supervisor->command);
	if (supervisor->signal_fd > 0)
		close(supervisor->signal_fd);
}
