/* SPDX-License-Identifier: MIT */
/* runprofile-module-host: the process a module lives in.
 *
 *     runprofile-module-host MODULE.so [ARG]...
 *
 * Loads the module, lets libmicrohttpd call its runprofile_app, one thread per
 * connection, on 127.0.0.1 and the port in the variable PORT, and ends on
 * SIGTERM or SIGINT. Started by runprofileserver, which finds the port out and
 * ends it; it knows nothing of profiles: the preloaded runtime sees its calls
 * of libmicrohttpd as it would any program's. It stands around the user's own
 * code, hence the licence. */
#include "runprofile.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION_MEMORY ((size_t)256 * 1024)

typedef int (*start_function)(int argc, char **argv, void **cls);
typedef void (*stop_function)(void *cls);

/* A pointer to a function can't be had from dlsym's pointer to an object by a
 * cast that ISO C knows. */
#define LOAD(handle, name, target)                                                                           \
	do {                                                                                                 \
		void *symbol = dlsym(handle, name);                                                          \
		memcpy(&(target), &symbol, sizeof(target));                                                  \
	} while (0)

static int die(const char *what, const char *why)
{
	fprintf(stderr, "runprofile-module-host: %s: %s\n", what, why);
	return 1;
}

static struct MHD_Daemon *listen_for(MHD_AccessHandlerCallback app, MHD_RequestCompletedCallback completed,
				     void *cls)
{
	const char *port = getenv("PORT");
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)(port ? strtoul(port, NULL, 10) : 0)),
	};

	return MHD_start_daemon(
	    MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ERROR_LOG, 0, NULL, NULL,
	    app, cls, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED,
	    completed, cls, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
	MHD_AccessHandlerCallback app;
	MHD_RequestCompletedCallback completed;
	start_function start;
	stop_function stop;
	struct MHD_Daemon *daemon;
	sigset_t signals;
	void *module, *cls = NULL;
	int number, status;

	if (argc < 2)
		return die("usage", "runprofile-module-host MODULE.so [ARG]...");
	/* Before the module can make threads, so that all inherit it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	module = dlopen(argv[1], RTLD_NOW);
	if (!module)
		return die("cannot load the module", dlerror());
	LOAD(module, "runprofile_app", app);
	LOAD(module, "runprofile_app_completed", completed);
	LOAD(module, "runprofile_app_start", start);
	LOAD(module, "runprofile_app_stop", stop);
	if (!app)
		return die(argv[1], "does not export runprofile_app");
	status = start ? start(argc - 1, argv + 1, &cls) : 0;
	if (status)
		return status;
	daemon = listen_for(app, completed, cls);
	if (!daemon)
		return die("cannot listen on 127.0.0.1", getenv("PORT") ? getenv("PORT") : "any port");
	sigwait(&signals, &number);
	MHD_stop_daemon(daemon);
	if (stop)
		stop(cls);
	return 0;
}
