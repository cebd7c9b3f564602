/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profcc and profc++: run the real gcc or g++ with specs files that add the
 * plugin, -finstrument-functions and the runtime. One process, one thread,
 * which turns into the compiler; nothing is left behind. It edits no argument
 * of the user's but takes out its own, --profcc-...: GCC's own driver decides what is compiled and linked, so
 * whatever works with gcc works with profcc. (Only for -nostdlib it adds some.)
 *
 * What belongs to it is found from where its own file is: beside it in plugin/
 * and .libs/ (a build tree), else at the place of libdir relative to bindir (an
 * installation, which may have been moved).
 *
 * Environment:
 *   PROFCC_CC, PROFCC_CXX  the compiler, with leading words such as "ccache gcc-12"
 *   PROFCC_FLAGS           more of its own options, for builds whose flags can't be changed
 *   PROFCC_RUNTIME_DIR     take librunprofile.* from here, and the plugin of a compiler for another architecture
 */
#include "plugin/plugin-hash.h"
#include "plugin/profcc-options.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PROFCC_DEFAULT_CC
#define PROFCC_DEFAULT_CC "gcc"
#define PROFCC_DEFAULT_CXX "g++"
#endif

#define MAX_WORDS 32

extern char **environ;

struct places {
	char own[PATH_MAX];      /* specs */
	char plugins[PATH_MAX];
	char shared[PATH_MAX];   /* librunprofile.so */
	char archives[PATH_MAX]; /* librunprofile.a and librunprofile_wrap.a */
};

static const char *progname = "profcc";

/* Messages look like GCC's own, and its exit status for trouble is 1. */
__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s: error: ", progname);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void *must_allocate(size_t size_bytes)
{
	void *memory = malloc(size_bytes);

	if (!memory)
		fail("out of memory");
	return memory;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), n_end = strlen(end);

	return n >= n_end && strcmp(s + n - n_end, end) == 0;
}

static bool starts_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

/* Questions to the compiler about itself. They are passed on untouched, since
 * specs change some of the answers; that is what configure scripts compare. */
static bool is_question(const char *arg)
{
	static const char *const whole[] = {"--version", "--help",    "--target-help",
					    "-V",        "-qversion", "-version"};
	static const char *const begin[] = {"-dump", "--dump", "-print-", "--print-", "--help="};

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		if (strcmp(arg, whole[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof begin / sizeof *begin; i++) {
		/* -dumpbase and its kin name files */
		if (starts_with(arg, begin[i]) && !starts_with(arg, "-dumpbase") &&
		    !starts_with(arg, "-dumpdir"))
			return true;
	}
	return false;
}

/* Is GCC asked about itself only, as in `gcc -v`? */
static bool is_pure_query(int argc, char **argv)
{
	bool input = false;

	for (int i = 1; i < argc; i++) {
		if (is_question(argv[i]))
			return true;
		if (profcc_takes_next(argv[i]))
			i++;
		else if (argv[i][0] != '-' || argv[i][1] == '\0' || starts_with(argv[i], "-l") ||
			 starts_with(argv[i], "-Wl,"))
			input = true;
	}
	return !input;
}

/* Splits at spaces. Returns the number of words, all of one allocation. */
static int split_words(const char *text, char **words)
{
	char *copy = strdup(text), *rest = NULL;
	int n_words = 0;

	if (!copy)
		fail("out of memory");
	for (char *w = strtok_r(copy, " \t\n", &rest); w && n_words < MAX_WORDS;
	     w = strtok_r(NULL, " \t\n", &rest))
		words[n_words++] = w;
	return n_words;
}

__attribute__((format(printf, 2, 3))) static void path_print(char path[PATH_MAX], const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(path, PATH_MAX, format, ap);
	va_end(ap);
	if (n < 0 || n >= PATH_MAX)
		fail("a path is too long: %.60s...", path);
}

static bool exists(const char *dir, const char *name)
{
	char path[PATH_MAX];

	path_print(path, "%s/%s", dir, name);
	return access(path, R_OK) == 0;
}

/* Where `to` lies as seen from `from`, both absolute: "../lib" for /usr/lib from /usr/bin. */
static void relative_path(char result[PATH_MAX], const char *from, const char *to)
{
	size_t common = 0;
	char up[PATH_MAX] = "";

	for (size_t i = 0;; i++) {
		bool from_ends = from[i] == '/' || from[i] == '\0';
		bool to_ends = to[i] == '/' || to[i] == '\0';

		if (from_ends && to_ends)
			common = i;
		if (from[i] != to[i] || from[i] == '\0')
			break;
	}
	for (const char *p = from + common; *p; p++) {
		if (*p == '/' && p[1] != '/' && p[1] != '\0')
			strncat(up, "../", sizeof up - strlen(up) - 1);
	}
	to += common;
	while (*to == '/')
		to++;
	path_print(result, "%s%s", up, to);
}

static void find_places(struct places *places)
{
	char self[PATH_MAX], relative[PATH_MAX], libdir[PATH_MAX];
	const char *runtime = getenv("PROFCC_RUNTIME_DIR");
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		fail("cannot read /proc/self/exe: %s", strerror(errno));
	self[n] = '\0';
	*strrchr(self, '/') = '\0';

	path_print(places->own, "%s/plugin", self);
	if (exists(places->own, "profcc-link.specs")) {
		path_print(places->shared, "%s/.libs", self);
		path_print(places->archives, "%s", self);
	} else {
		relative_path(relative, RPS_BINDIR, RPS_LIBDIR);
		path_print(libdir, "%s/%s", self, relative);
		if (!realpath(libdir, places->shared))
			path_print(places->shared, "%s", libdir);
		path_print(places->archives, "%s", places->shared);
		path_print(places->own, "%s/runprofileserver", places->shared);
		if (!exists(places->own, "profcc-link.specs"))
			fail("no profcc-link.specs in %s (install RunProfileServer again, or move all of it)",
			     places->own);
	}
	if (runtime && *runtime) {
		if (!realpath(runtime, places->shared))
			fail("PROFCC_RUNTIME_DIR=%s: %s", runtime, strerror(errno));
		path_print(places->archives, "%s", places->shared);
	}
	path_print(places->plugins, "%s", places->own);
}

/* What the compiler answers to `question`, one short line. False: nothing, or that it does not understand. */
static bool ask(char **words, int n_words, const char *question, char *answer, size_t answer_size)
{
	char *query[MAX_WORDS + 2], copy[32];
	posix_spawn_file_actions_t actions;
	int pipe_fds[2], status = 0, error;
	size_t size = 0;
	ssize_t n;
	pid_t pid;

	snprintf(copy, sizeof copy, "%s", question);
	memcpy(query, words, (size_t)n_words * sizeof *words);
	query[n_words] = copy;
	query[n_words + 1] = NULL;
	if (pipe2(pipe_fds, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0)
		fail("cannot start %s: %s", words[0], strerror(errno));
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawnp(&pid, words[0], &actions, NULL, query, environ);
	if (error)
		fail("cannot run %s: %s (PROFCC_CC and PROFCC_CXX name the compiler)", words[0],
		     strerror(error));
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[1]);
	while (size < answer_size - 1 && (n = read(pipe_fds[0], answer + size, answer_size - 1 - size)) != 0) {
		if (n > 0)
			size += (size_t)n;
		else if (errno != EINTR)
			break;
	}
	close(pipe_fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	answer[size] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 && answer[0] != '\0';
}

/* The compiler's major version by its own word, which also tells GCC from clang. */
static int ask_version(char **words, int n_words)
{
	char answer[64];
	int major = 0;

	if (!ask(words, n_words, "-dumpfullversion", answer, sizeof answer) || sscanf(answer, "%d.", &major) != 1)
		fail("%s is not GCC (for clang: compile with clang -finstrument-functions, and preload "
		     "librunprofile.so)",
		     words[n_words - 1]);
	return major;
}

/* A compiler that makes code for another architecture has a plugin of its own, and that code a runtime: both in a folder
 * named after the machine, or where PROFCC_RUNTIME_DIR says. */
static void find_foreign_places(struct places *places, char **words, int n_words)
{
	const char *runtime = getenv("PROFCC_RUNTIME_DIR");
	size_t n_own = strcspn(PROFCC_MACHINE, "-");
	char machine[64], folder[PATH_MAX];

	if (!ask(words, n_words, "-dumpmachine", machine, sizeof machine) || strchr(machine, '/'))
		fail("%s does not say what machine it compiles for", words[n_words - 1]);
	if (strcspn(machine, "-") == n_own && strncmp(machine, PROFCC_MACHINE, n_own) == 0)
		return;
	if (!runtime || !*runtime) {
		path_print(folder, "%s/%s", places->shared, machine);
		path_print(places->shared, "%s", folder);
		path_print(places->archives, "%s", folder);
	}
	if (!exists(places->shared, "librunprofile.so") && !exists(places->archives, "librunprofile.a"))
		fail("%s compiles for %s, and there is no runtime for that in %s (this is RunProfileServer for %s)",
		     words[n_words - 1], machine, places->shared, PROFCC_MACHINE);
	path_print(places->plugins, "%s", places->shared);
}

/* Directories that the dynamic linker searches anyway. */
static bool is_standard_dir(const char *dir)
{
	const char *p = starts_with(dir, "/usr/") ? dir + 4 : dir;

	if (strcmp(p, "/lib") == 0 || strcmp(p, "/lib64") == 0)
		return true;
	return starts_with(p, "/lib/") && ends_with(p, "-linux-gnu") && !strchr(p + 5, '/');
}

/* How to have the runtime found when the program starts; where that needs no help, an option that does
 * nothing: specs can't ask whether a variable is empty. */
static const char *search_option(const struct places *places)
{
	return is_standard_dir(places->shared) ? "-L" : "-rpath=";
}

__attribute__((format(printf, 2, 3))) static void set_variable(const char *name, const char *format, ...)
{
	static char value[2 * PATH_MAX + PROFCC_ARGUMENT_SIZE];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(value, sizeof value, format, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof value || setenv(name, value, 1) != 0)
		fail("cannot set %s", name);
}

static bool has_argument(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return false;
}

/* ccache looks at the command line and the compiler. Started by us it has to be told of the
 * plugin and of our options, or it would answer with objects of an older plugin, or of other options. In
 * front of us it sees the options, and this program, which holds a hash of the plugins and so changes with
 * them. */
static void expose_to_ccache(const char *plugin, const struct profcc_options *options)
{
	const char *others = getenv("CCACHE_EXTRAFILES"), *space = getenv("CCACHE_NAMESPACE");

	if (others && *others)
		set_variable("CCACHE_EXTRAFILES", "%s:%s", others, plugin);
	else
		set_variable("CCACHE_EXTRAFILES", "%s", plugin);
	if (options->size)
		set_variable("CCACHE_NAMESPACE", "%sprofcc-%s-%s", space ? space : "", PROFCC_PLUGIN_HASH,
			     options->argument);
}

/* What is not instrumented is visible: code that the specs leave alone never meets the plugin. */
static void explain_unit(int argc, char **argv)
{
	static const char *const left_alone[] = {"-ffreestanding", "-m32", "-m16", "-mx32"};

	for (size_t i = 0; i < sizeof left_alone / sizeof *left_alone; i++) {
		if (has_argument(argc, argv, left_alone[i]))
			fprintf(stderr, "%s: nothing is instrumented: %s\n", progname, left_alone[i]);
	}
}

/* Refuses PROFCC_CC=profcc, which would start itself for ever. */
static void check_not_self(const char *name)
{
	static const char mark[] = "PROFCC_INTERNAL_PARENT";
	const char *parent = getenv(mark);

	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;

	if (strcmp(base, "profcc") == 0 || strcmp(base, "profc++") == 0 ||
	    (parent && strtol(parent, NULL, 10) == (long)getpid()))
		fail("%s runs profcc itself (PROFCC_CC and PROFCC_CXX name the compiler)", name);
	set_variable(mark, "%ld", (long)getpid());
}

static bool is_32_bit(int argc, char **argv)
{
	return has_argument(argc, argv, "-m32") || has_argument(argc, argv, "-m16") ||
	       has_argument(argc, argv, "-mx32");
}

/* Without the standard libraries no spec of ours is looked at behind the
 * objects. A shared object gets the runtime if it calls a hook (libtool links C++ libraries so), an
 * executable, which may have no C library at all, hooks that do nothing. -Xlinker is ignored where nothing is
 * linked. */
static int add_for_nostdlib(char **args, int argc, char **argv, const struct places *places)
{
	static char library[PATH_MAX], search[PATH_MAX];
	static char for_linker[] = "-Xlinker", push[] = "--push-state", as_needed[] = "--as-needed",
		    pop[] = "--pop-state";
	static char *const shared[] = {push, as_needed, library, pop, search};
	int n = 0;

	if (has_argument(argc, argv, "-r") || is_32_bit(argc, argv) ||
	    !(has_argument(argc, argv, "-nostdlib") || has_argument(argc, argv, "-nodefaultlibs") ||
	      has_argument(argc, argv, "-nolibc")))
		return 0;
	if (!has_argument(argc, argv, "-shared")) {
		path_print(library, "%s/libprofcc_empty.a", places->own);
		args[n++] = for_linker;
		args[n++] = library;
		return n;
	}
	path_print(library, "%s/librunprofile.so", places->shared);
	path_print(search, "%s%s", search_option(places), places->shared);
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
		args[n++] = for_linker;
		args[n++] = shared[i];
	}
	return n;
}

static bool is_compiling_cxx(const char *argv0)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	self[n > 0 ? n : 0] = '\0';
	return ends_with(argv0, "++") || ends_with(self, "++");
}

int main(int argc, char **argv)
{
	static struct profcc_options options;
	struct places places;
	char *words[MAX_WORDS], plugin[PATH_MAX], link_specs[PATH_MAX], compile_specs[PATH_MAX];
	bool cxx = is_compiling_cxx(argc > 0 ? argv[0] : "");
	const char *named = getenv(cxx ? "PROFCC_CXX" : "PROFCC_CC");
	int n_words, n = 0, major;
	const char *problem;
	char **args;
	bool fits, add_more = false;

	if (cxx)
		progname = "profc++";
	problem = profcc_options_read(&options, &argc, argv, getenv("PROFCC_FLAGS"));
	if (problem)
		fail("%s", problem);
	n_words = split_words(named && *named ? named : cxx ? PROFCC_DEFAULT_CXX : PROFCC_DEFAULT_CC, words);
	if (n_words == 0 || n_words == MAX_WORDS)
		fail("%s names no compiler", cxx ? "PROFCC_CXX" : "PROFCC_CC");
	check_not_self(words[n_words - 1]);
	args = must_allocate(((size_t)n_words + (size_t)argc + 16) * sizeof *args);
	for (int i = 0; i < n_words; i++)
		args[n++] = words[i];
	if (is_pure_query(argc, argv))
		goto run;

	major = ask_version(words, n_words);
	find_places(&places);
	if (named && *named)
		find_foreign_places(&places, words, n_words);
	path_print(plugin, "%s/profcc_plugin_%d", places.plugins, major);
	set_variable("PROFCC_INTERNAL_PLUGIN", "%s", plugin);
	set_variable("PROFCC_INTERNAL_OPTIONS", "-fplugin-arg-profcc_plugin_%d-options=%s", major,
		     options.argument);
	path_print(plugin, "%s/profcc_plugin_%d.so", places.plugins, major);
	fits = access(plugin, R_OK) == 0;
	if (fits)
		expose_to_ccache(plugin, &options);
	if (is_32_bit(argc, argv))
		fprintf(stderr, "%s: warning: code of this kind is not profiled, only 64-bit code is\n",
			progname);
	else if (!fits)
		fprintf(stderr,
			"%s: warning: no plugin for GCC %d, using plain hooks: call sites of inlined calls "
			"are lost "
			"(install gcc-%d-plugin-dev and build RunProfileServer again)\n",
			progname, major, major);
	if (!fits && options.need_plugin[0])
		fprintf(stderr, "%s: warning: without a plugin every function is instrumented: %s ignored\n",
			progname, options.need_plugin);
	if (options.explain)
		explain_unit(argc, argv);
	set_variable("PROFCC_INTERNAL_SHARED", "%s", places.shared);
	set_variable("PROFCC_INTERNAL_ARCHIVES", "%s", places.archives);
	set_variable("PROFCC_INTERNAL_SEARCH", "%s%s", search_option(&places), places.shared);
	path_print(compile_specs, "-specs=%s/%s.specs", places.own, fits ? "profcc-compile" : "profcc-plain");
	path_print(link_specs, "-specs=%s/profcc-link.specs", places.own);
	args[n++] = compile_specs;
	args[n++] = link_specs;
	add_more = true;
run:
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	if (add_more)
		n += add_for_nostdlib(args + n, argc, argv, &places);
	args[n] = NULL;
	execvp(args[0], args);
	fail("cannot run %s: %s (PROFCC_CC and PROFCC_CXX name the compiler)", args[0], strerror(errno));
}
