/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/static_files.c: the right file, and none outside its directory. */
#include "server/static_files.h"

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

static char directory[64];
static struct rps_static_files *files;

static void write_file(const char *name, const char *text)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_tree(void **state)
{
	static char url[] = "/s", deep_url[] = "/s/deep"; /* they must live as long as the files */
	char command[600], root[100], deep[100], error[256];
	struct rps_static_mount mounts[2];

	strcpy(directory, "static-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(
	    command, sizeof(command),
	    "cd %s && mkdir -p www/sub www/empty other && ln -s ../secret www/link && ln -s / www/root && "
	    "ln -s sub www/dirlink && ln -s a.txt www/inner && mkfifo www/fifo",
	    directory);
	if (system(command))
		return -1;
	write_file("secret", "secret");
	write_file("www/a.txt", "a");
	write_file("www/index.html", "index");
	write_file("www/sub/index.html", "sub index");
	write_file("www/a b%.css", "css");
	write_file("other/o.js", "js");
	snprintf(root, sizeof(root), "%s/www", directory);
	snprintf(deep, sizeof(deep), "%s/other", directory);
	mounts[0] = (struct rps_static_mount){.url = url, .directory = root};
	mounts[1] = (struct rps_static_mount){.url = deep_url, .directory = deep};
	files = rps_static_files_open(mounts, 2, 0, error, sizeof(error));
	return files ? 0 : -1;
}

static int remove_tree(void **state)
{
	char command[128];

	rps_static_files_close(files);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

/* The result of rps_static_files_get, or -ESRCH if no mount has it; the file's size in *size. */
static int get(const char *target, const char **type, off_t *size)
{
	struct rps_static_file file;
	struct rps_url url;
	size_t rest_size;
	const char *rest;
	int mount, rc;

	assert_int_equal(rps_url_parse(&url, target), 0);
	mount = rps_static_files_match(files, &url, &rest, &rest_size);
	rc = mount < 0 ? -ESRCH : rps_static_files_get(files, mount, rest, rest_size, &file);
	if (!rc) {
		close(file.fd);
		*type = file.type;
		*size = file.size_bytes;
	}
	rps_url_clear(&url);
	return rc;
}

static void check(const char *target, const char *type, off_t size)
{
	const char *found_type = "";
	off_t found_size = -1;

	assert_int_equal(get(target, &found_type, &found_size), 0);
	assert_string_equal(found_type, type);
	assert_int_equal(found_size, size);
}

static void refused(const char *target, int rc)
{
	const char *type;
	off_t size;

	assert_int_equal(get(target, &type, &size), rc);
}

static void files_are_found(void **state)
{
	check("/s/a.txt", "text/plain; charset=utf-8", 1);
	check("/s//a.txt?x=1", "text/plain; charset=utf-8", 1);
	check("/s/%61.txt", "text/plain; charset=utf-8", 1);
	check("/s/a%20b%25.css", "text/css; charset=utf-8", 3);
	check("/s/", "text/html; charset=utf-8", 5);
	check("/s/sub/", "text/html; charset=utf-8", 9);
}

static void longest_url_wins(void **state)
{
	check("/s/deep/o.js", "text/javascript; charset=utf-8", 2);
	refused("/sx/a.txt", -ESRCH);
	refused("/", -ESRCH);
	refused("/s/deeper", -ENOENT);
}

static void nothing_else_is(void **state)
{
	refused("/s", -EISDIR);
	refused("/s/sub", -EISDIR);
	refused("/s/none", -ENOENT);
	refused("/s/empty/", -ENOENT);
	refused("/s/a.txt/", -ENOENT);
	refused("/s/fifo", -ENOENT);
}

static void there_is_no_way_out(void **state)
{
	static const char *const targets[] = {
	    "/s/../secret",     "/s/%2e%2e/secret",   "/s/sub/../../secret",
	    "/s/..%2fsecret",   "/s/%2e%2e%2fsecret", "/s/sub/%2E./../x",
	    "/s/a.txt%00.html", "/s/./a.txt",         "/s/%2fetc%2fpasswd",
	};
	const char *type;
	off_t size;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		refused(targets[i], -ENOENT);
	/* Links, wherever they point. */
	assert_int_not_equal(get("/s/link", &type, &size), 0);
	assert_int_not_equal(get("/s/inner", &type, &size), 0);
	assert_int_not_equal(get("/s/root/etc/passwd", &type, &size), 0);
	assert_int_not_equal(get("/s/dirlink/index.html", &type, &size), 0);
}

static void a_missing_directory_is_told(void **state)
{
	const struct rps_static_mount mount = {.url = (char[]){"/x"},
					       .directory = (char[]){"no-such-directory"}};
	char error[256];

	assert_null(rps_static_files_open(&mount, 1, 0, error, sizeof(error)));
	assert_non_null(strstr(error, "no-such-directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_are_found),
	    cmocka_unit_test(longest_url_wins),
	    cmocka_unit_test(nothing_else_is),
	    cmocka_unit_test(there_is_no_way_out),
	    cmocka_unit_test(a_missing_directory_is_told),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
