/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile convert: one profile, in any format, into another. */
#include "profile/format.h"
#include "tools/command.h"
#include "tools/output_file.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The output file's writer has no argument for these. */
static const struct rps_format *chosen_format;

static int write_compressed(const struct rps_profile *profile, FILE *out)
{
	return rps_format_write_compressed(chosen_format, profile, out);
}

static void help(FILE *out)
{
	fputs("Usage: runprofile convert --to=FORMAT [OPTION]... FILE\n\n"
	      "Reads a profile (callgrind, pprof, folded stacks, speedscope; gzip'd or not; - is the standard\n"
	      "input) and writes it as FORMAT:\n\n",
	      out);
	for (size_t i = 0; i < rps_n_formats; i++)
		fprintf(out, "  %-12s %s\n", rps_formats[i].name, rps_formats[i].summary);
	fputs("\n  -t, --to=FORMAT    one of these\n"
	      "  -e, --event=NAME   put this event first: the one that folded stacks and flame graphs show\n"
	      "  -o, --output=FILE  write to FILE, replacing it (default: the standard output)\n"
	      "  -z, --compress     gzip it\n"
	      "  -h, --help         this text\n",
	      out);
}

static void swap(uint64_t *costs, uint32_t event)
{
	const uint64_t first = costs[0];

	costs[0] = costs[event];
	costs[event] = first;
}

/* 0, or -ENOENT. */
static int put_first(struct rps_profile *profile, const char *name)
{
	const struct rps_event first = profile->events[0];
	uint32_t event = 0;

	while (event < profile->n_events && strcmp(profile->events[event].name, name) != 0)
		event++;
	if (event == profile->n_events)
		return -ENOENT;
	profile->events[0] = profile->events[event];
	profile->events[event] = first;
	for (uint32_t i = 0; i < profile->n_nodes; i++)
		swap(profile->nodes[i].self, event);
	for (uint32_t i = 0; i < profile->n_edges; i++)
		swap(profile->edges[i].inclusive, event);
	for (uint32_t i = 0; i < profile->n_lines; i++)
		swap(profile->lines[i].self, event);
	return 0;
}

static void complain_of_event(const struct rps_profile *profile, const char *name)
{
	char names[RPS_EVENTS_MAX * (RPS_EVENT_NAME_MAX + 2)] = "";

	for (uint32_t i = 0; i < profile->n_events; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i > 0 ? ", " : "",
			 profile->events[i].name);
	rps_complain("there is no event %s in it (it has %s)", name, names);
}

static int convert(const char *input, const char *output, const char *event, rps_output_writer *writer)
{
	struct rps_profile *profile;
	char why[512];
	int error = rps_format_read(input, &profile, why, sizeof(why));

	if (error != 0) {
		rps_complain("%s", why);
		return 1;
	}
	if (event != NULL && put_first(profile, event) != 0) {
		complain_of_event(profile, event);
		rps_profile_destroy(profile);
		return 1;
	}
	error = rps_output_file_write(output, profile, writer);
	if (error != 0)
		rps_complain("cannot write %s: %s", strcmp(output, "-") == 0 ? "the output" : output,
			     strerrordesc_np(-error));
	rps_profile_destroy(profile);
	return error != 0;
}

int rps_command_convert(int argc, char **argv)
{
	static const struct option options[] = {{"to", required_argument, NULL, 't'},
						{"event", required_argument, NULL, 'e'},
						{"output", required_argument, NULL, 'o'},
						{"compress", no_argument, NULL, 'z'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *output = "-", *event = NULL;
	int option, compress = 0;

	while ((option = getopt_long(argc, argv, "t:e:o:zh", options, NULL)) != -1) {
		switch (option) {
		case 't':
			chosen_format = rps_format_find(optarg);
			if (chosen_format == NULL) {
				rps_complain("there is no format %s (runprofile convert --help lists them)",
					     optarg);
				return 2;
			}
			break;
		case 'e':
			event = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case 'z':
			compress = 1;
			break;
		case 'h':
			help(stdout);
			return 0;
		default:
			fputs("runprofile convert --help lists the options\n", stderr);
			return 2;
		}
	}
	if (chosen_format == NULL) {
		rps_complain("to which format? --to=FORMAT (runprofile convert --help lists them)");
		return 2;
	}
	if (optind + 1 != argc) {
		rps_complain("one profile is converted: runprofile convert --to=%s FILE (--help tells more)",
			     chosen_format->name);
		return 2;
	}
	if ((compress || chosen_format->is_binary) && strcmp(output, "-") == 0 && isatty(STDOUT_FILENO)) {
		rps_complain("this is nothing for a terminal (name a file with -o FILE)");
		return 2;
	}
	return convert(argv[optind], output, event,
		       compress && !chosen_format->is_binary ? write_compressed : chosen_format->write);
}
