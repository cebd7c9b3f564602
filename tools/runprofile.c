/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command runprofile: finds the subcommand, and helps. */
#include "tools/command.h"
#include "tools/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
    {"record", rps_command_record, "run a program, and write a profile of the whole run"},
    {"list", rps_command_list, "profiles: requests, durations, calls"},
    {"top", rps_command_top, "the functions that cost most"},
    {"tree", rps_command_tree, "what called what, from the root down"},
    {"callers", rps_command_callers, "what calls a function"},
    {"callees", rps_command_callees, "what a function calls"},
    {"annotate", rps_command_annotate, "source, with what its lines cost"},
    {"diff", rps_command_diff, "what has changed, and whether that is too much"},
    {"convert", rps_command_convert, "write a profile in another format"},
    {"validate", rps_command_validate, "check whether files are whole and right"},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

void rps_complain(const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	fflush(stdout);
	fputs("runprofile: ", stderr);
	rps_text_put_safe(stderr, text != NULL ? text : format);
	fputc('\n', stderr);
	free(text);
}

static void help(FILE *out)
{
	fputs("Usage: runprofile COMMAND [OPTION]... [ARG]...\n\nCommands:\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\nrunprofile COMMAND --help tells more of one, and so does man runprofile.\n", out);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("runprofile (RunProfileServer) " PACKAGE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	rps_complain("there is no command %s (runprofile --help lists them)", argv[1]);
	return 2;
}
