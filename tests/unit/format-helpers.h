/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of formats share: a profile to bytes, bytes to a profile, profiles compared, and files
 * that are cut off. Included once a test program. */
#ifndef RPS_TESTS_FORMAT_HELPERS_H
#define RPS_TESTS_FORMAT_HELPERS_H

#include "profile/callgrind_write.h"
#include "profile/flatten.h"
#include "profile/format.h"
#include "profile/merge.h"
#include "tests/unit/callgrind-helpers.h"
#include "tests/unit/random-profile.h"

struct text {
	char *bytes;
	size_t size;
};

static __attribute__((unused)) struct text
bytes_of(const struct rps_profile *profile, int (*writer)(const struct rps_profile *profile, FILE *out))
{
	struct text text;
	FILE *out = open_memstream(&text.bytes, &text.size);

	assert_int_equal(writer(profile, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* By way of a file, as everything is read. NULL: it was refused, with `why`. */
static char why[512];
static __attribute__((unused)) struct rps_profile *profile_of(const void *bytes, size_t size)
{
	char path[] = "/tmp/test-format-XXXXXX";
	struct rps_profile *profile = NULL;
	int fd = mkstemp(path), error;

	assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
	why[0] = '\0';
	error = rps_format_read(path, &profile, why, sizeof(why));
	if (error != 0) {
		assert_null(profile);
		assert_int_equal(strncmp(why, path, strlen(path)), 0);
		assert_int_equal(why[strlen(path)], ':');
	} else {
		assert_string_equal(why, "");
	}
	unlink(path);
	return profile;
}

static __attribute__((unused)) void assert_same_bytes(struct text a, struct text b)
{
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.bytes, b.bytes, a.size);
}

/* To the unit, for whoever reads call graphs: functions, calls, lines, inclusive costs, metas. */
static __attribute__((unused)) void assert_same_graph(const struct rps_profile *a,
						      const struct rps_profile *b)
{
	struct text left = bytes_of(a, rps_callgrind_write), right = bytes_of(b, rps_callgrind_write);

	assert_string_equal(left.bytes, right.bytes);
	free(left.bytes);
	free(right.bytes);
}

/* A random profile of two processes and builds, if `is_flat` without contexts. The caller destroys it. */
static __attribute__((unused)) struct rps_profile *some_profile(uint64_t seed, int is_flat)
{
	static struct random_sums ignored;
	struct rps_profile *profile, *flat;

	random_state = seed;
	profile = random_profile("GET /cart", 0, random_below(400), &ignored);
	rps_profile_add_meta(profile, "Method", "GET");
	rps_profile_add_meta(profile, "Path", "/cart: a \"b\"");
	rps_profile_add_meta(profile, "Status", "200");
	rps_profile_add_meta(profile, "Duration us", "1234");
	rps_profile_add_meta(profile, "Time", "2026-11-22T10:00:00Z");
	rps_profile_set_command(profile, "./app --port=1");
	profile->pid = 77;
	if (!is_flat)
		return profile;
	flat = rps_profile_create("GET /cart");
	flat->is_flat = 1;
	assert_int_equal(rps_profile_flatten(profile, flat), 0);
	rps_profile_destroy(profile);
	return flat;
}

/* No prefix of the file is read as if it were one: it is an error, or (where `may_be_whole`) it has all. */
static __attribute__((unused)) void assert_prefixes_fail(struct text file, const struct rps_profile *whole)
{
	/* Each byte of the end, and every so many before. */
	for (size_t size = 0; size<file.size; size += file.size - size> 600 && size > 600 ? 37 : 1) {
		struct rps_profile *cut = profile_of(file.bytes, size);

		if (cut == NULL)
			continue;
		if (whole == NULL)
			fail_msg("the first %zu of %zu bytes were read as a profile", size, file.size);
		for (uint32_t event = 0; event < whole->n_events; event++)
			assert_int_equal(rps_profile_total(cut, event), rps_profile_total(whole, event));
		rps_profile_destroy(cut);
	}
}

#endif
