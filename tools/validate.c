/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile validate: reads files as strictly as the readers do, and says what is wrong where. */
#include "profile/callgrind_rules.h"
#include "profile/format.h"
#include "profile/merge.h"
#include "tools/command.h"
#include "tools/text.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void help(FILE *out)
{
	fputs("Usage: runprofile validate [OPTION]... FILE...\n\n"
	      "Reads each profile whole and says, with its line, what is wrong with it: broken lines, "
	      "numbers that are\n"
	      "none, sums that are not right, an end that is missing; and, of callgrind files written here,\n"
	      "whatever viewers would read differently. Exits 1 if a file is broken.\n\n"
	      "  -q, --quiet  only say what is wrong\n"
	      "  -h, --help   this text\n",
	      out);
}

/* Of files of ours more is promised than that they can be read. */
static int check_rules(const char *path, char *why, size_t why_size)
{
	FILE *stream = strcmp(path, "-") != 0 ? fopen(path, "re") : NULL;
	struct rps_input *input = stream != NULL ? rps_input_create(stream, path) : NULL;
	int error = input != NULL ? rps_callgrind_rules_check(input, why, why_size) : 0;

	rps_input_destroy(input);
	if (stream != NULL)
		fclose(stream);
	return error;
}

static int validate(const char *path, int is_quiet)
{
	struct rps_profile *profile = NULL;
	char why[512];

	if (rps_format_read(path, &profile, why, sizeof(why)) != 0 ||
	    check_rules(path, why, sizeof(why)) != 0) {
		rps_profile_destroy(profile);
		fflush(stdout);
		rps_text_put_safe(stderr, why);
		fputc('\n', stderr);
		return 1;
	}
	if (!is_quiet) {
		const uint64_t calls = rps_profile_count_calls(profile);

		rps_text_put_safe(stdout, path);
		printf(": %" PRIu32 " %s, %" PRIu64 " calls", profile->n_nodes - 1,
		       profile->is_flat ? "functions" : "contexts", calls);
		for (uint32_t event = 0; event < profile->n_events; event++)
			printf(", %s %" PRIu64, profile->events[event].name,
			       rps_profile_total(profile, event));
		printf("%s\n", rps_profile_meta(profile, "Unverified") != NULL
				   ? " (it has no totals, so nobody can tell whether it is whole)"
				   : "");
	}
	rps_profile_destroy(profile);
	return 0;
}

int rps_command_validate(int argc, char **argv)
{
	static const struct option options[] = {
	    {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int option, is_quiet = 0, status = 0;

	while ((option = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
		switch (option) {
		case 'q':
			is_quiet = 1;
			break;
		case 'h':
			help(stdout);
			return 0;
		default:
			fputs("runprofile validate --help lists the options\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		rps_complain("of which profiles? runprofile validate FILE... (--help tells more)");
		return 2;
	}
	for (; optind < argc; optind++)
		status |= validate(argv[optind], is_quiet);
	return status;
}
