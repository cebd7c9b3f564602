/* SPDX-License-Identifier: MIT */
/* The shop as a program of its own: shop [--port=N] [--database=FILE].
 * Listens on 127.0.0.1, one thread per connection, until SIGINT or SIGTERM. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <runprofile.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* From 0 (the system chooses one) to 65535, else -1. */
static long parse_port(const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port <= 65535 ? port : -1;
}

/* Takes --port=N out of the arguments, and leaves the others to the application. */
static long take_port(int *argc, char **argv)
{
	static const char option[] = "--port=";
	const char *port = getenv("PORT");
	int n_kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (!strncmp(argv[i], option, sizeof(option) - 1))
			port = argv[i] + sizeof(option) - 1;
		else
			argv[n_kept++] = argv[i];
	}
	*argc = n_kept;
	return parse_port(port && port[0] ? port : "8080");
}

static struct MHD_Daemon *start_daemon(long port, void *cls)
{
	unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return MHD_start_daemon(flags, 0, NULL, NULL, runprofile_app, cls, MHD_OPTION_SOCK_ADDR, &address,
				MHD_OPTION_NOTIFY_COMPLETED, runprofile_app_completed, cls,
				MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
	long port = take_port(&argc, argv);
	struct MHD_Daemon *daemon;
	sigset_t ending;
	void *cls;
	int status, signal_number;

	if (port < 0) {
		fputs("shop: --port (or PORT) is not a number from 0 to 65535\n", stderr);
		return 2;
	}
	/* Blocked before any thread exists, so that sigwait() below gets them. */
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ending, NULL);
	signal(SIGPIPE, SIG_IGN);

	status = runprofile_app_start(argc, argv, &cls);
	if (status != 0)
		return status;
	daemon = start_daemon(port, cls);
	if (!daemon) {
		fprintf(stderr, "shop: cannot listen on 127.0.0.1:%ld (try another --port)\n", port);
		runprofile_app_stop(cls);
		return 2;
	}
	printf("shop: http://127.0.0.1:%u/\n",
	       (unsigned int)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);

	sigwait(&ending, &signal_number);
	MHD_stop_daemon(daemon);
	runprofile_app_stop(cls);
	return 0;
}
