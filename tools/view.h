/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a command shows what it found: on a terminal with colour, cut to its width, and through a pager;
 * elsewhere whole and plain; or as JSON. One view a process, on its main thread. */
#ifndef RPS_TOOLS_VIEW_H
#define RPS_TOOLS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum rps_style { RPS_STYLE_PLAIN, RPS_STYLE_HEAD, RPS_STYLE_DIM, RPS_STYLE_WORSE, RPS_STYLE_BETTER };

enum rps_view_when { RPS_VIEW_AUTO, RPS_VIEW_ALWAYS, RPS_VIEW_NEVER };

struct rps_view {
	bool json;
	enum rps_view_when color;
	bool no_pager;
	size_t width; /* columns; 0: nothing is cut (set by rps_view_open unless it was chosen) */
	/* From rps_view_open on: */
	bool has_color;
	FILE *out;
	pid_t pager; /* 0: none */
};

/* For getopt_long, in the table and in the switch's default. */
enum { RPS_VIEW_OPTION_JSON = 1000, RPS_VIEW_OPTION_COLOR, RPS_VIEW_OPTION_NO_PAGER, RPS_VIEW_OPTION_WIDTH };
#define RPS_VIEW_OPTIONS                                                                                     \
	{"json", no_argument, NULL, RPS_VIEW_OPTION_JSON},                                                   \
	    {"color", required_argument, NULL, RPS_VIEW_OPTION_COLOR},                                       \
	    {"no-pager", no_argument, NULL, RPS_VIEW_OPTION_NO_PAGER},                                       \
	{                                                                                                    \
		"width", required_argument, NULL, RPS_VIEW_OPTION_WIDTH                                      \
	}
#define RPS_VIEW_HELP                                                                                        \
	"      --json           for machines: numbers whole, names whole\n"                                  \
	"      --color=WHEN     auto (on a terminal), always, never\n"                                       \
	"      --width=COLUMNS  cut names to this (default: the terminal's; else nothing)\n"                 \
	"      --no-pager       no pager, although it is a terminal\n"                                       \
	"  -h, --help           this text\n"

/* 0; -1 after a message: no option of these, or a wrong value. */
int rps_view_option(struct rps_view *view, int option, const char *value);

/* Starts the pager, if there is to be one. */
void rps_view_open(struct rps_view *view);
/* Ends the output. 0; or 1 after a message: it could not be written. */
int rps_view_close(struct rps_view *view);

/* The sequence that begins a style, and the one that ends it ("" without colour). */
const char *rps_view_style(const struct rps_view *view, enum rps_style style);

#endif
