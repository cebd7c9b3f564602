/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Terminal, pager, colour (view.h). Called by the commands that show something. */
#include "tools/view.h"

#include "tools/complain.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDTH_MIN 40u
#define WIDTH_DEFAULT 80u

int rps_view_option(struct rps_view *view, int option, const char *value)
{
	char *end;

	switch (option) {
	case RPS_VIEW_OPTION_JSON:
		view->json = true;
		return 0;
	case RPS_VIEW_OPTION_COLOR:
		if (strcmp(value, "auto") == 0)
			view->color = RPS_VIEW_AUTO;
		else if (strcmp(value, "always") == 0)
			view->color = RPS_VIEW_ALWAYS;
		else if (strcmp(value, "never") == 0)
			view->color = RPS_VIEW_NEVER;
		else
			break;
		return 0;
	case RPS_VIEW_OPTION_NO_PAGER:
		view->no_pager = true;
		return 0;
	case RPS_VIEW_OPTION_WIDTH:
		view->width = strtoul(value, &end, 10);
		if (*end != '\0' || value[0] < '0' || value[0] > '9' || view->width < WIDTH_MIN ||
		    view->width > 100000) {
			rps_complain("--width=%s: a number of columns, %u or more, is expected", value,
				     WIDTH_MIN);
			return -1;
		}
		return 0;
	default:
		/* getopt has said what it does not know. */
		return -1;
	}
	rps_complain("--color=%s: auto, always or never is expected", value);
	return -1;
}

static size_t terminal_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	unsigned long width = columns != NULL ? strtoul(columns, NULL, 10) : 0;

	if (width == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width == 0)
		width = WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : width;
}

static bool wants_color(const struct rps_view *view, bool is_terminal)
{
	const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (view->color != RPS_VIEW_AUTO)
		return view->color == RPS_VIEW_ALWAYS;
	return is_terminal && (no_color == NULL || no_color[0] == '\0') && terminal != NULL &&
	       strcmp(terminal, "dumb") != 0;
}

static bool is_in_path(const char *program)
{
	const char *at = getenv("PATH");
	bool found = false;

	while (at != NULL && !found) {
		size_t size = strcspn(at, ":");
		char *path;

		if (asprintf(&path, "%.*s/%s", (int)size, at, program) < 0)
			return false;
		found = access(path, X_OK) == 0;
		free(path);
		at = at[size] == ':' ? at + size + 1 : NULL;
	}
	return found;
}

/* NULL: none. */
static const char *find_pager(void)
{
	const char *pager = getenv("PAGER");

	if (pager == NULL)
		return is_in_path("less") ? "less" : NULL;
	return pager[0] == '\0' || strcmp(pager, "cat") == 0 ? NULL : pager;
}

static void start_pager(struct rps_view *view, const char *pager)
{
	int ends[2];
	FILE *out;

	if (pipe(ends) != 0)
		return;
	fflush(NULL);
	view->pager = fork();
	if (view->pager == 0) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		/* Leave at once if it fits, let colours through, leave the text on the screen; as git has it.
		 */
		setenv("LESS", "FRX", 0);
		setenv("LESSCHARSET", "utf-8", 0);
		execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	out = view->pager > 0 ? fdopen(ends[1], "w") : NULL;
	if (out == NULL) {
		close(ends[1]);
		if (view->pager > 0)
			waitpid(view->pager, NULL, 0);
		view->pager = 0;
		return;
	}
	/* Who leaves the pager early has seen enough: the rest is written to nobody. */
	signal(SIGPIPE, SIG_IGN);
	view->out = out;
}

void rps_view_open(struct rps_view *view)
{
	const bool is_terminal = isatty(STDOUT_FILENO);
	const char *pager = is_terminal && !view->no_pager ? find_pager() : NULL;

	/* For the width of characters only. */
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	if (is_terminal && view->width == 0 && !view->json)
		view->width = terminal_width();
	view->has_color = !view->json && wants_color(view, is_terminal);
	view->out = stdout;
	if (pager != NULL)
		start_pager(view, pager);
}

static int close_pager(struct rps_view *view)
{
	int status;

	fclose(view->out);
	while (waitpid(view->pager, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		rps_complain("cannot run the pager %s (set PAGER, or use --no-pager)", find_pager());
		return 1;
	}
	return 0;
}

int rps_view_close(struct rps_view *view)
{
	if (view->pager != 0)
		return close_pager(view);
	errno = 0;
	if (fflush(view->out) == 0 && !ferror(view->out))
		return 0;
	rps_complain("cannot write the output: %s", strerror(errno != 0 ? errno : EIO));
	return 1;
}

const char *rps_view_style(const struct rps_view *view, enum rps_style style)
{
	static const char *const sequences[] = {
	    [RPS_STYLE_PLAIN] = "\033[0m",  [RPS_STYLE_HEAD] = "\033[1m",    [RPS_STYLE_DIM] = "\033[2m",
	    [RPS_STYLE_WORSE] = "\033[31m", [RPS_STYLE_BETTER] = "\033[32m",
	};

	return view->has_color ? sequences[style] : "";
}
