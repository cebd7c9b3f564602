/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile convert: one profile, in any format, into another. */
#include "profile/format.h"
#include "tools/command.h"
#include "tools/output_file.h"

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
	      "  -o, --output=FILE  write to FILE, replacing it (default: the standard output)\n"
	      "  -z, --compress     gzip it\n"
	      "  -h, --help         this text\n",
	      out);
}

static int convert(const char *input, const char *output, rps_output_writer *writer)
{
	struct rps_profile *profile;
	char why[512];
	int error = rps_format_read(input, &profile, why, sizeof(why));

	if (error != 0) {
		rps_complain("%s", why);
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
						{"output", required_argument, NULL, 'o'},
						{"compress", no_argument, NULL, 'z'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *output = "-";
	int option, compress = 0;

	while ((option = getopt_long(argc, argv, "t:o:zh", options, NULL)) != -1) {
		switch (option) {
		case 't':
			chosen_format = rps_format_find(optarg);
			if (chosen_format == NULL) {
				rps_complain("there is no format %s (runprofile convert --help lists them)",
					     optarg);
				return 2;
			}
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
	if (chosen_format == NULL || optind + 1 != argc) {
		help(stderr);
		return 2;
	}
	if ((compress || chosen_format->is_binary) && strcmp(output, "-") == 0 && isatty(STDOUT_FILENO)) {
		rps_complain("this is nothing for a terminal (name a file with -o FILE)");
		return 2;
	}
	return convert(argv[optind], output,
		       compress && !chosen_format->is_binary ? write_compressed : chosen_format->write);
}
