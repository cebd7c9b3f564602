/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file: see options.h. It may name a program to run, so it
 * is read only if it belongs to the user and nobody else may write to it.
 * Called by main.c, on the main thread, at the start. */
#include "server/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Commands ------------------------------------------------------------------------ */

/* One word of `*text` into `word` (room for all of it). 0, or -EINVAL at an open quote. */
static int take_word(const char **text, char *word)
{
	const char *p = *text;
	char quote = 0;

	for (; *p && (quote || !strchr(" \t", *p)); p++) {
		if (quote == *p) {
			quote = 0;
		} else if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == '\\' && quote != '\'' && p[1]) {
			p++;
			*word++ = *p;
		} else {
			*word++ = *p;
		}
	}
	*word = 0;
	*text = p;
	return quote ? -EINVAL : 0;
}

static void free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

char **rps_options_split_command(const char *text)
{
	size_t n_max = strlen(text) / 2 + 2, n = 0;
	char **words = calloc(n_max, sizeof(char *));

	if (!words)
		return NULL;
	for (;;) {
		text += strspn(text, " \t");
		if (!*text)
			return words;
		words[n] = malloc(strlen(text) + 1);
		if (!words[n] || take_word(&text, words[n])) {
			free_words(words);
			return NULL;
		}
		n++;
	}
}

/* ---- Lines ---------------------------------------------------------------------------- */

static char *trim(char *text)
{
	size_t size;

	text += strspn(text, " \t\r\n");
	size = strlen(text);
	while (size && strchr(" \t\r\n", text[size - 1]))
		size--;
	text[size] = 0;
	return text;
}

/* A "#" that starts a line or stands behind a blank, outside of quotes, starts a comment. */
static void cut_comment(char *line)
{
	char quote = 0;

	for (char *p = line; *p; p++) {
		if (quote) {
			if (*p == quote)
				quote = 0;
		} else if (*p == '\'' || *p == '"') {
			quote = *p;
		} else if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = 0;
			return;
		}
	}
}

static int set_app(struct rps_options *options, const char *value, char *error, size_t error_size)
{
	char **words = value ? rps_options_split_command(value) : NULL;

	if (!words || !*words) {
		free_words(words);
		snprintf(error, error_size, "give a command: app = ./shop --port {port}");
		return -EINVAL;
	}
	free_words(options->app);
	options->app = words;
	return 0;
}

static int read_line(struct rps_options *options, char *line, char *error, size_t error_size)
{
	char *name, *value = NULL, *equals;

	cut_comment(line);
	name = trim(line);
	if (!*name)
		return 0;
	equals = strchr(name, '=');
	if (equals) {
		*equals = 0;
		value = trim(equals + 1);
		name = trim(name);
	}
	if (!strcmp(name, "app"))
		return set_app(options, value, error, error_size);
	return rps_options_set(options, name, value, error, error_size);
}

static FILE *open_own_file(const char *path, int *rc, char *error, size_t error_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	FILE *file;

	if (fd < 0) {
		*rc = -errno;
		snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	*rc = -EPERM;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		snprintf(error, error_size, "%s is not a plain file: not read", path);
	else if (st.st_uid != geteuid())
		snprintf(error, error_size,
			 "%s belongs to user %u, not to you (%u): not read; name APP on the "
			 "command line",
			 path, (unsigned)st.st_uid, (unsigned)geteuid());
	else if (st.st_mode & S_IWOTH)
		snprintf(error, error_size, "%s may be written by anybody: not read (chmod o-w %s)", path,
			 path);
	else
		*rc = 0;
	file = *rc ? NULL : fdopen(fd, "r");
	if (!file) {
		if (!*rc)
			*rc = -ENOMEM;
		close(fd);
	}
	return file;
}

int rps_options_read_file(struct rps_options *options, const char *path, char *error, size_t error_size)
{
	unsigned number = 0;
	char *line = NULL, why[512];
	size_t size = 0;
	FILE *file;
	int rc;

	file = open_own_file(path, &rc, error, error_size);
	if (!file)
		return rc;
	while (!rc && getline(&line, &size, file) >= 0) {
		number++;
		rc = read_line(options, line, why, sizeof(why));
		if (rc)
			snprintf(error, error_size, "%s, line %u: %s", path, number, why);
	}
	free(line);
	fclose(file);
	return rc == -ENOENT ? -EINVAL : rc;
}
