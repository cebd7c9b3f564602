/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See profcc-options.h. Called by profcc.c at its start. */
#include "plugin/profcc-options.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "--profcc-"

static const struct option {
	const char *name;
	bool takes_glob, needs_plugin;
} table[] = {
#define OPTION(id, name, takes_glob, needs_plugin) {name, takes_glob, needs_plugin},
#include "plugin/options.def"
#undef OPTION
};
#define N_OPTIONS (sizeof table / sizeof *table)

__attribute__((format(printf, 1, 2))) static const char *complain(const char *format, ...)
{
	static char text[400];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	return text;
}

bool profcc_takes_next(const char *arg)
{
	static const char options[] =
	    " -o -x -I -L -D -U -A -B -T -u -z -e -include -imacros -isystem -iquote "
	    "-iprefix -idirafter -iwithprefix -iwithprefixbefore -isysroot -imultilib "
	    "-MF -MT -MQ -Xlinker -Xassembler -Xpreprocessor -aux-info --param "
	    "-dumpbase -dumpbase-ext -dumpdir -wrapper ";
	const char *found = strstr(options, arg);

	return found && found > options && found[-1] == ' ' && found[strlen(arg)] == ' ';
}

static bool append(struct profcc_options *options, const char *text)
{
	size_t n = strlen(text);

	if (options->size + n >= sizeof options->argument)
		return false;
	memcpy(options->argument + options->size, text, n + 1);
	options->size += n;
	return true;
}

static bool append_encoded(struct profcc_options *options, const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		char code[4] = {(char)c, '\0'};

		if (!(isascii(c) && isalnum(c)) && c != '_')
			snprintf(code, sizeof code, "%%%02X", c);
		if (!append(options, code))
			return false;
	}
	return true;
}

/* fnmatch() takes a glob that is not well formed for a name, which then matches nothing, silently. */
static const char *flaw_of_glob(const char *glob)
{
	if (!*glob)
		return "is empty";
	for (const char *p = glob; *p; p++) {
		if (*p == '\\' && *++p == '\0')
			return "ends in a backslash";
		if (*p == '[') {
			const char *end = p + 1 + (p[1] == '!' || p[1] == '^');

			if (!*end || !(end = strchr(end + 1, ']')))
				return "has a [ without ] (\\[ for the character itself)";
			p = end;
		}
	}
	return NULL;
}

static bool is_noted(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n) {
		if (p[n] == ',' || p[n] == '\0')
			return true;
	}
	return false;
}

static void note_need_of_plugin(struct profcc_options *options, const char *name)
{
	char word[64];
	size_t size = strlen(options->need_plugin);

	snprintf(word, sizeof word, PREFIX "%s", name);
	if (!is_noted(options->need_plugin, word))
		snprintf(options->need_plugin + size, sizeof options->need_plugin - size, "%s%s",
			 size ? ", " : "", word);
}

static const char *read_one(struct profcc_options *options, const char *arg, const char *where)
{
	const char *name = arg + strlen(PREFIX), *value = strchr(name, '='), *flaw;
	size_t length = value ? (size_t)(value - name) : strlen(name), i;
	char letter[2] = "a";

	for (i = 0; i < N_OPTIONS; i++) {
		if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
			break;
	}
	if (i == N_OPTIONS)
		return complain("%sunrecognized option '%s' (profcc(1) lists them)", where, arg);
	if (table[i].takes_glob && !value)
		return complain("%smissing glob after '%s' (as in '%s=GLOB')", where, arg, arg);
	if (!table[i].takes_glob && value)
		return complain("%s'%s%s' takes no value", where, PREFIX, table[i].name);
	flaw = value ? flaw_of_glob(value + 1) : NULL;
	if (flaw)
		return complain("%sthe glob of '%s' %s", where, arg, flaw);
	letter[0] = (char)('a' + i);
	if (!append(options, letter) || (value && !append_encoded(options, value + 1)) ||
	    !append(options, "."))
		return complain("%stoo many globs at '%s'", where, arg);
	if (table[i].needs_plugin)
		note_need_of_plugin(options, table[i].name);
	if (strcmp(table[i].name, "explain") == 0)
		options->explain = true;
	return NULL;
}

/* The next word as a shell reads it, without expansions; true at the end of the text, too, with an empty
 * `word`. */
static bool next_word(const char **text, char *word, size_t size)
{
	const char *p = *text;
	size_t n = 0;
	char quote = '\0';

	while (isspace((unsigned char)*p))
		p++;
	for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
		if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (quote && *p == quote) {
			quote = '\0';
		} else {
			if (*p == '\\' && quote != '\'' && p[1])
				p++;
			if (n + 1 >= size)
				return false;
			word[n++] = *p;
		}
	}
	word[n] = '\0';
	*text = p;
	return !quote;
}

static const char *read_flags(struct profcc_options *options, const char *flags)
{
	static const char where[] = "PROFCC_FLAGS: ";
	char word[4096];
	const char *problem;

	for (;;) {
		if (!next_word(&flags, word, sizeof word))
			return complain("%sa quote is not closed, or a word is too long", where);
		if (!*word)
			return NULL;
		if (strncmp(word, PREFIX, strlen(PREFIX)) != 0)
			return complain("%s'%s' is none of profcc's own options (profcc(1) lists them)",
					where, word);
		problem = read_one(options, word, where);
		if (problem)
			return problem;
	}
}

const char *profcc_options_read(struct profcc_options *options, int *argc, char **argv, const char *flags)
{
	const char *problem;
	int n = 1;

	memset(options, 0, sizeof *options);
	problem = flags ? read_flags(options, flags) : NULL;
	for (int i = 1; i < *argc && !problem; i++) {
		if (strncmp(argv[i], PREFIX, strlen(PREFIX)) == 0) {
			problem = read_one(options, argv[i], "");
			continue;
		}
		argv[n++] = argv[i];
		if (profcc_takes_next(argv[i]) && i + 1 < *argc)
			argv[n++] = argv[++i];
	}
	if (problem)
		return problem;
	if (*argc > 0) {
		*argc = n;
		argv[n] = NULL;
	}
	return NULL;
}
