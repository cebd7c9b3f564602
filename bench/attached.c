/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a program with a collector attached, recording from its start to its
 * end, and throws the profile away: the cost of recording, without a server.
 *
 *     attached RUNTIME.so PROGRAM [ARG...]
 */
#include "collect/collector.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rps_collector_options options = {.scope = RPS_SCOPE_APPLICATION};
	struct rps_collector *collector;
	struct rps_collection *collection;
	struct rps_profile *profile;
	struct rps_collect_info info;
	char error[256];
	int status = 1;
	pid_t pid;

	if (argc < 3)
		return 2;
	options.runtime_path = argv[1];
	collector = rps_collector_create(&options, error, sizeof(error));
	if (collector == NULL) {
		fprintf(stderr, "attached: %s\n", error);
		return 1;
	}
	collection = rps_collector_begin(collector, 1);
	pid = fork();
	if (pid == 0) {
		for (const char *const *variable = rps_collector_environ(collector); *variable != NULL; variable++)
			putenv((char *)(size_t)*variable);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (rps_collector_end(collection, argv[2], &profile, &info) == 0) {
		fprintf(stderr, "%llu calls\n", (unsigned long long)info.calls);
		rps_profile_destroy(profile);
	}
	rps_collector_destroy(collector);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
