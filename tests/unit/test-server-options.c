/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/options.c and options_file.c: command line, runprofile.conf, usage. */
#include "server/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char error[1024];

static int parse(struct rps_options *options, const char *line)
{
	char **words = rps_options_split_command(line);
	int argc = 0, rc;

	assert_non_null(words);
	while (words[argc])
		argc++;
	*error = 0;
	assert_int_equal(rps_options_init(options), 0);
	rc = rps_options_parse(options, argc, words, error, sizeof(error));
	for (int i = 0; i < argc; i++)
		free(words[i]);
	free(words);
	return rc;
}

static void defaults_are_the_originals(void **state)
{
	struct rps_options o;

	assert_int_equal(parse(&o, "server ./app"), 0);
	assert_string_equal(o.prof_path, "/tmp");
	assert_string_equal(o.prof_file, "{path}.{duration:06d}ms.{time}");
	assert_string_equal(o.address, "127.0.0.1");
	assert_int_equal(o.port, 8000);
	assert_string_equal(o.gateway, "auto");
	assert_int_equal(o.scope, RPS_SCOPE_AUTO);
	assert_int_equal(o.app_port, 0);
	assert_false(o.kcachegrind || o.nomedia || o.verbose);
	assert_string_equal(o.app[0], "./app");
	assert_null(o.app[1]);
	rps_options_clear(&o);
}

static void options_end_at_the_application(void **state)
{
	struct rps_options o;

	assert_int_equal(parse(&o, "server --verbose ./app --nomedia -x --unknown"), 0);
	assert_true(o.verbose);
	assert_false(o.nomedia);
	assert_string_equal(o.app[1], "--nomedia");
	assert_string_equal(o.app[3], "--unknown");
	rps_options_clear(&o);
	assert_int_equal(parse(&o, "server -- --strange-name"), 0);
	assert_string_equal(o.app[0], "--strange-name");
	rps_options_clear(&o);
	assert_int_equal(parse(&o, "server --verbose"), 0);
	assert_null(o.app);
	rps_options_clear(&o);
}

static void every_option_is_read(void **state)
{
	struct rps_options o;

	assert_int_equal(parse(&o,
			       "server --prof-path=/p --prof-file={time} --kcachegrind --addrport=[::1]:81 "
			       "--gateway=http --app-port=82 --scope=application --settle=7 "
			       "--static=/a/=b --static /=c --nomedia --verbose ./app"),
			 0);
	assert_string_equal(o.prof_path, "/p");
	assert_string_equal(o.prof_file, "{time}");
	assert_string_equal(o.address, "::1");
	assert_int_equal(o.port, 81);
	assert_string_equal(o.gateway, "http");
	assert_int_equal(o.app_port, 82);
	assert_int_equal(o.scope, RPS_SCOPE_APPLICATION);
	assert_int_equal(o.settle_ms, 7);
	assert_int_equal(o.n_mounts, 2);
	assert_string_equal(o.mounts[0].url, "/a");
	assert_string_equal(o.mounts[0].directory, "b");
	assert_string_equal(o.mounts[1].url, "");
	assert_true(o.kcachegrind && o.nomedia && o.verbose);
	rps_options_clear(&o);
}

static void addresses(void **state)
{
	static const struct {
		const char *text, *address;
		int port;
	} good[] = {{"8001", "127.0.0.1", 8001},
		    {"0.0.0.0:80", "0.0.0.0", 80},
		    {"[::]:0", "::", 0},
		    {"localhost:65535", "localhost", 65535}};
	static const char *const bad[] = {"",        ":",        "x",   "65536",  "-1",
					  "1.2.3.4", "1.2.3.4:", ":80", "::1:80", "[]:80",
					  "80x",     "[::1]",    " 80", "a:b:1",  "99999999999999999999"};
	struct rps_options o;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(rps_options_init(&o), 0);
		assert_int_equal(rps_options_set(&o, "addrport", good[i].text, error, sizeof(error)), 0);
		assert_string_equal(o.address, good[i].address);
		assert_int_equal(o.port, good[i].port);
		rps_options_clear(&o);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(rps_options_init(&o), 0);
		assert_int_equal(rps_options_set(&o, "addrport", bad[i], error, sizeof(error)), -EINVAL);
		assert_non_null(strstr(error, "--addrport"));
		rps_options_clear(&o);
	}
}

static void bad_input_says_what_and_what_to_do(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
	    {"server --nope ./app", "unknown option --nope (see runprofileserver --help)"},
	    {"server -z ./app", "unknown option -z (see runprofileserver --help)"},
	    {"server --prof-path", "option --prof-path needs a value: --prof-path=DIR"},
	    {"server --nomedia=x ./app", "option --nomedia takes no value"},
	    {"server --scope=some ./app", "bad value 'some' for --scope: give auto, request or application"},
	    {"server --app-port=0 ./app", "bad value '0' for --app-port: give a port, 1 to 65535"},
	    {"server --settle=x ./app", "bad value 'x' for --settle: give milliseconds, 1 to 3600000"},
	    {"server --static=x=y ./app",
	     "bad value 'x=y' for --static: give URL=DIR, for example /static=./htdocs"},
	    {"server --static=/x ./app",
	     "bad value '/x' for --static: give URL=DIR, for example /static=./htdocs"},
	    {"server --prof-file= ./app",
	     "bad value '' for --prof-file: give a template such as {path}.{time}"},
	};
	struct rps_options o;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(&o, cases[i].line), -EINVAL);
		assert_string_equal(error, cases[i].says);
		rps_options_clear(&o);
	}
}

static void commands_are_split_as_a_shell_does(void **state)
{
	char **words = rps_options_split_command("  ./shop --x 'a b' \"c \\\"d\\\"\" e\\ f '' g'h'i ");

	assert_non_null(words);
	assert_string_equal(words[0], "./shop");
	assert_string_equal(words[2], "a b");
	assert_string_equal(words[3], "c \"d\"");
	assert_string_equal(words[4], "e f");
	assert_string_equal(words[5], "");
	assert_string_equal(words[6], "ghi");
	assert_null(words[7]);
	for (char **word = words; *word; word++)
		free(*word);
	free(words);
	assert_null(rps_options_split_command("a 'b"));
}

static int read_text(struct rps_options *o, const char *text, mode_t mode)
{
	char path[] = "conf-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
	*error = 0;
	assert_int_equal(rps_options_init(o), 0);
	rc = rps_options_read_file(o, path, error, sizeof(error));
	unlink(path);
	return rc;
}

static void file_is_read(void **state)
{
	struct rps_options o;

	assert_int_equal(
	    read_text(&o,
		      "# comment\n\n  prof-path = /p   # trailing\n\tkcachegrind\nverbose = yes\r\n"
		      "nomedia=no\nstatic = /s=./d\nprof-file = {time}#x\napp = ./shop --color '#fff' # c\n",
		      0644),
	    0);
	assert_string_equal(o.prof_path, "/p");
	assert_string_equal(o.prof_file, "{time}#x");
	assert_true(o.kcachegrind && o.verbose && !o.nomedia);
	assert_string_equal(o.mounts[0].directory, "./d");
	assert_string_equal(o.app[2], "#fff");
	assert_null(o.app[3]);
	rps_options_clear(&o);
}

static void command_line_goes_over_the_file(void **state)
{
	char *argv[] = {(char[]){"server"}, (char[]){"--prof-path=/cli"}, NULL};
	struct rps_options o;

	assert_int_equal(read_text(&o, "prof-path = /file\nprof-file = {time}\napp = ./shop\n", 0600), 0);
	assert_int_equal(rps_options_parse(&o, 2, argv, error, sizeof(error)), 0);
	assert_string_equal(o.prof_path, "/cli");
	assert_string_equal(o.prof_file, "{time}");
	assert_string_equal(o.app[0], "./shop");
	rps_options_clear(&o);
}

static void trouble_in_the_file_names_the_line(void **state)
{
	struct rps_options o;

	assert_int_equal(read_text(&o, "\nnope = 1\n", 0644), -EINVAL);
	assert_non_null(strstr(error, ", line 2: unknown option 'nope'"));
	rps_options_clear(&o);
	assert_int_equal(read_text(&o, "app = './x\n", 0644), -EINVAL);
	assert_non_null(strstr(error, ", line 1: give a command"));
	rps_options_clear(&o);
	assert_int_equal(read_text(&o, "kcachegrind = maybe\n", 0644), -EINVAL);
	rps_options_clear(&o);
}

static void a_file_of_others_is_not_read(void **state)
{
	struct rps_options o;

	assert_int_equal(read_text(&o, "app = ./evil\n", 0666), -EPERM);
	assert_non_null(strstr(error, "chmod o-w"));
	assert_null(o.app);
	rps_options_clear(&o);
	assert_int_equal(rps_options_init(&o), 0);
	assert_int_equal(rps_options_read_file(&o, "no-such-file", error, sizeof(error)), -ENOENT);
	assert_int_equal(rps_options_read_file(&o, "/", error, sizeof(error)), -EPERM);
	if (geteuid() == 0) {
		char path[] = "conf-XXXXXX";
		int fd = mkstemp(path);

		assert_int_equal(fchown(fd, 12345, 12345), 0);
		assert_int_equal(rps_options_read_file(&o, path, error, sizeof(error)), -EPERM);
		assert_non_null(strstr(error, "belongs to user 12345"));
		close(fd);
		unlink(path);
	}
	rps_options_clear(&o);
}

static void usage_fits_on_one_screen(void **state)
{
	char *text = NULL;
	size_t size, lines = 0, width = 0;
	FILE *out = open_memstream(&text, &size);

	rps_options_print_usage(out);
	fclose(out);
	for (size_t i = 0; i < size; i++) {
		width = text[i] == '\n' ? 0 : width + 1;
		assert_in_range(width, 0, 100);
		lines += text[i] == '\n';
	}
	assert_in_range(lines, 10, 24);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_the_originals),
	    cmocka_unit_test(options_end_at_the_application),
	    cmocka_unit_test(every_option_is_read),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(bad_input_says_what_and_what_to_do),
	    cmocka_unit_test(commands_are_split_as_a_shell_does),
	    cmocka_unit_test(file_is_read),
	    cmocka_unit_test(command_line_goes_over_the_file),
	    cmocka_unit_test(trouble_in_the_file_names_the_line),
	    cmocka_unit_test(a_file_of_others_is_not_read),
	    cmocka_unit_test(usage_fits_on_one_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
