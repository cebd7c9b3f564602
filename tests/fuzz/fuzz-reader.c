/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libFuzzer's entry for one reader, RPS_FUZZ_READER (tests/fuzz/run compiles it once for each). What a reader
 * takes must be a profile that keeps model.h's promises; every writer can write it; and what our own format,
 * pprof, gives back has the same sums and writes the same call graph. */
#include "profile/callgrind_read.h"
#include "profile/callgrind_rules.h"
#include "profile/callgrind_write.h"
#include "profile/folded_read.h"
#include "profile/format.h"
#include "profile/gperftools_read.h"
#include "profile/pprof_read.h"
#include "profile/pprof_write.h"
#include "profile/speedscope_read.h"
#include "profile/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WRITTEN_NODES_MAX 2000u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-reader: %s\n", what);
	abort();
}

static int read_bytes(const void *bytes, size_t size, struct rps_profile **profile, char *why,
		      size_t why_size)
{
	FILE *stream = fmemopen((void *)(uintptr_t)bytes, size, "r");
	int error;

	expect(stream != NULL, "fmemopen");
#ifdef RPS_FUZZ_READER
	{
		struct rps_input *input = rps_input_create(stream, "fuzz");

		expect(input != NULL, "rps_input_create");
		error = RPS_FUZZ_READER(input, profile, why, why_size);
		rps_input_destroy(input);
	}
#else
	error = rps_format_read_stream(stream, "fuzz", profile, why, why_size);
#endif
	fclose(stream);
	return error;
}

struct text {
	char *bytes;
	size_t size;
};

static int write_bytes(const struct rps_format *format, const struct rps_profile *profile, struct text *text)
{
	FILE *out = open_memstream(&text->bytes, &text->size);
	int error;

	expect(out != NULL, "open_memstream");
	error = format->write(profile, out);
	fclose(out);
	return error;
}

/* Without the lines that pprof has comments for: a comment's key is cut off, and "Note" is not one of the
 * file's. */
static const char *body(const struct text *text)
{
	const char *body = strstr(text->bytes, "\npositions: ");

	expect(body != NULL, "a callgrind file without positions");
	return body;
}

/* What is not UTF-8 is escaped in a pprof file, which changes the order of names. */
static int is_utf8(const char *text)
{
	size_t left = strlen(text), length;
	uint32_t code_point;

	for (; left > 0; text += length, left -= length) {
		length = rps_utf8_decode(text, left, &code_point);
		if (length == 0)
			return 0;
	}
	return 1;
}

static int has_only_utf8(const struct rps_profile *profile)
{
	int result = 1;

	for (uint32_t i = 0; i < profile->n_functions; i++)
		result = result && is_utf8(profile->functions[i].name) &&
			 is_utf8(profile->functions[i].file) && is_utf8(profile->functions[i].object) &&
			 is_utf8(profile->functions[i].symbol);
	for (uint32_t i = 0; i < profile->n_edges; i++)
		result = result && is_utf8(profile->edges[i].site_file);
	for (uint32_t i = 0; i < profile->n_lines; i++)
		result = result && is_utf8(profile->lines[i].file);
	return result;
}

static void come_back(const struct rps_profile *profile, const struct text *file)
{
	const struct rps_format *callgrind = rps_format_find("callgrind");
	FILE *stream = fmemopen(file->bytes, file->size, "r");
	struct rps_profile *again = NULL;
	struct text before, after;
	char why[512] = "";

	rps_format_read_stream(stream, "again", &again, why, sizeof(why));
	fclose(stream);
	expect(again != NULL, why);
	for (uint32_t event = 0; event < profile->n_events; event++)
		expect(rps_profile_total(profile, event) == rps_profile_total(again, event), "another total");
	expect(write_bytes(callgrind, profile, &before) == 0 && write_bytes(callgrind, again, &after) == 0,
	       "callgrind");
	if (has_only_utf8(profile))
		expect(strcmp(body(&before), body(&after)) == 0, "another call graph");
	free(before.bytes);
	free(after.bytes);
	rps_profile_destroy(again);
}

/* Of any bytes: it must only end, in order. */
static void check_rules(const uint8_t *bytes, size_t size)
{
	FILE *stream = fmemopen((void *)(uintptr_t)bytes, size, "r");
	struct rps_input *input = rps_input_create(stream, "fuzz");
	char why[512] = "";

	expect(rps_callgrind_rules_check(input, why, sizeof(why)) == 0 || why[0] != '\0', "no message");
	rps_input_destroy(input);
	fclose(stream);
}

#ifdef RPS_FUZZ_STACKS
static int ends_in(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct rps_profile *profile = NULL;
	char why[512] = "";
	struct text text;

	if (size == 0)
		return -1;
	check_rules(bytes, size);
	if (read_bytes(bytes, size, &profile, why, sizeof(why)) != 0) {
		expect(profile == NULL && why[0] != '\0', "an error without a message, or with a profile");
#ifdef RPS_FUZZ_STACKS
		/* Whatever the stacks, a tree can be made of them: these are rps_profile_check's sentences.
		 */
		expect(!ends_in(why, "no child or ancestor of it"), why);
		expect(!ends_in(why, "but nothing calls it"), why);
#endif
		return 0;
	}
	expect(rps_profile_check(profile, why, sizeof(why)) == 0, why);
	for (size_t i = 0; i < rps_n_formats && profile->n_nodes <= WRITTEN_NODES_MAX; i++) {
		int error = write_bytes(&rps_formats[i], profile, &text);

		expect(error == 0 || error == -EOVERFLOW, "a writer fails");
		if (error == 0 && strcmp(rps_formats[i].name, "pprof") == 0)
			come_back(profile, &text);
		free(text.bytes);
	}
	rps_profile_destroy(profile);
	return 0;
}
