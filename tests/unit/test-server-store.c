/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/store.c: names never taken twice, nothing outside, nothing half-written. */
#include "server/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static int write_ok(const struct rps_profile *profile, FILE *out)
{
	fputs("profile\n", out);
	return 0;
}

static int write_fails(const struct rps_profile *profile, FILE *out)
{
	fputs("half of a prof", out);
	fflush(out);
	return -ENOSPC;
}

/* More than the buffer: the error shows in a flush; or within it: in the close. */
static int write_much(const struct rps_profile *profile, FILE *out)
{
	for (int i = 0; i < 100000; i++)
		fputs("profile\n", out);
	return 0;
}

static int make_directory(void **state)
{
	strcpy(directory, "store-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static struct rps_store *open_store(const char *name_template, rps_store_writer writer)
{
	char error[512];
	struct rps_store *store = rps_store_open(directory, name_template, writer, error, sizeof(error));

	assert_non_null(store);
	return store;
}

static int write_path(struct rps_store *store, const char *path, char *name)
{
	const struct rps_name_values values = {.path = path,
					       .path_size = strlen(path),
					       .query = "",
					       .method = "GET",
					       .status = 200,
					       .time_s = 1};

	return rps_store_write(store, &values, NULL, name, 512);
}

static unsigned count_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return n;
}

static void in_directory(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", directory, name);
}

static void a_file_is_private_and_complete(void **state)
{
	struct rps_store *store = open_store("{path}", write_ok);
	char name[512], path[600];
	struct stat st;

	umask(0);
	assert_int_equal(write_path(store, "/a/b", name), 0);
	assert_string_equal(name, "a.b.prof");
	in_directory(path, sizeof(path), name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(count_files(directory), 1);
	rps_store_close(store);
}

static void equal_names_get_numbers(void **state)
{
	struct rps_store *store = open_store("{path}", write_ok);
	char name[512], path[600];
	struct stat st;

	/* Taken by somebody else, and by something that is no file at all. */
	in_directory(path, sizeof(path), "x.prof");
	assert_int_equal(symlink("/nonexistent", path), 0);
	in_directory(path, sizeof(path), "x.1.prof");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(write_path(store, "/x", name), 0);
	assert_string_equal(name, "x.2.prof");
	assert_int_equal(write_path(store, "/x", name), 0);
	assert_string_equal(name, "x.3.prof");
	assert_int_equal(write_path(store, "/y", name), 0);
	assert_string_equal(name, "y.prof");
	in_directory(path, sizeof(path), "x.prof");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	rps_store_close(store);
	/* The next server starts from what it finds. */
	store = open_store("{path}", write_ok);
	assert_int_equal(write_path(store, "/x", name), 0);
	assert_string_equal(name, "x.4.prof");
	rps_store_close(store);
}

static void *write_hundred(void *store)
{
	char name[512];

	for (int i = 0; i < 100; i++)
		if (write_path(store, "/same", name))
			return store;
	return NULL;
}

static void many_threads_never_share_a_name(void **state)
{
	struct rps_store *store = open_store("{path}", write_ok);
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_hundred, store), 0);
	for (int i = 0; i < 8; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(count_files(directory), 800);
	rps_store_close(store);
}

static void hostile_paths_stay_inside(void **state)
{
	static const char *const paths[] = {"/../../escape", "/..",       "/.",      "//",     "/a/../../b",
					    "/.rps-x",       "/\xff\xfe", "/\n\x1b", "/a%2fb", "/con\\x"};
	struct rps_store *store = open_store("{path}", write_ok);
	char name[512], long_path[8193];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(write_path(store, paths[i], name), 0);
		assert_null(strchr(name, '/'));
		assert_true(*name != '.');
	}
	memset(long_path, 'a', sizeof(long_path) - 1);
	*long_path = '/';
	long_path[sizeof(long_path) - 1] = 0;
	assert_int_equal(write_path(store, long_path, name), 0);
	assert_in_range(strlen(name), 1, RPS_NAME_COMPONENT_MAX);
	assert_int_equal(count_files(directory), sizeof(paths) / sizeof(paths[0]) + 1);
	rps_store_close(store);
}

static void template_makes_private_directories(void **state)
{
	struct rps_store *store = open_store("{method}/{status}/{path}", write_ok);
	char name[512], path[600];
	struct stat st;

	umask(0);
	assert_int_equal(write_path(store, "/a", name), 0);
	assert_string_equal(name, "GET/200/a.prof");
	in_directory(path, sizeof(path), "GET/200");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(write_path(store, "/a", name), 0);
	assert_string_equal(name, "GET/200/a.1.prof");
	rps_store_close(store);
}

static void a_link_in_the_way_is_not_followed(void **state)
{
	struct rps_store *store = open_store("{method}/{path}", write_ok);
	char name[512], path[600], outside[600];

	in_directory(outside, sizeof(outside), "outside");
	assert_int_equal(mkdir(outside, 0700), 0);
	in_directory(path, sizeof(path), "GET");
	assert_int_equal(symlink("outside", path), 0);
	assert_int_not_equal(write_path(store, "/a", name), 0);
	assert_int_equal(count_files(outside), 0);
	assert_int_equal(count_files(directory), 2);
	if (geteuid() == 0) {
		/* Somebody else's directory is no better. */
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0777), 0);
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(write_path(store, "/a", name), -EPERM);
		assert_int_equal(count_files(path), 0);
	}
	rps_store_close(store);
}

static void a_failed_write_leaves_nothing(void **state)
{
	static const rps_store_writer writers[] = {write_much, write_ok};
	struct rps_store *store = open_store("{path}", write_fails);
	struct rlimit old, small;
	char name[512];

	assert_int_equal(write_path(store, "/a", name), -ENOSPC);
	assert_int_equal(count_files(directory), 0);
	rps_store_close(store);

	/* The limit of a file's size stands for a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 4;
	for (size_t i = 0; i < 2; i++) {
		int rc;

		store = open_store("{path}", writers[i]);
		setrlimit(RLIMIT_FSIZE, &small);
		rc = write_path(store, "/a", name);
		setrlimit(RLIMIT_FSIZE, &old);
		assert_int_equal(rc, -EFBIG);
		assert_int_equal(count_files(directory), 0);
		/* And the next one is fine. */
		assert_int_equal(write_path(store, "/a", name), 0);
		assert_int_equal(count_files(directory), 1);
		rps_store_close(store);
		remove_directory(NULL);
		make_directory(NULL);
	}
}

static void bad_input_is_told(void **state)
{
	char error[512];

	assert_null(rps_store_open("no-such-directory", "{path}", write_ok, error, sizeof(error)));
	assert_non_null(strstr(error, "no-such-directory"));
	assert_non_null(strstr(error, "--prof-path=DIR"));
	assert_null(rps_store_open("/dev/null", "{path}", write_ok, error, sizeof(error)));
	assert_null(rps_store_open(directory, "{nope}", write_ok, error, sizeof(error)));
	assert_non_null(strstr(error, "duration"));
	assert_int_equal(count_files(directory), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_private_and_complete),     TEST(equal_names_get_numbers),
	    TEST(many_threads_never_share_a_name),    TEST(hostile_paths_stay_inside),
	    TEST(template_makes_private_directories), TEST(a_link_in_the_way_is_not_followed),
	    TEST(a_failed_write_leaves_nothing),      TEST(bad_input_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
