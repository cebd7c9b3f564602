/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/name_template.c: names of profiles, against Python's own format()
 * (name-template-cases.h) and against what URLs may hold. */
#include "profile/name_template.h"

#include "profile/name_format.h"
#include "profile/utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <cmocka.h>

static struct rps_name_values usual_values(void)
{
	struct rps_name_values values = {.path = "/shop/cart",
					 .query = "id=7",
					 .method = "GET",
					 .status = 200,
					 .pid = 4711,
					 .seq = 3,
					 .duration_us = 41999,
					 .time_s = 1226557778};

	values.path_size = strlen(values.path);
	return values;
}

static struct rps_name_template *parse(const char *text)
{
	char error[500] = "";
	struct rps_name_template *name_template = rps_name_template_parse(text, error, sizeof(error));

	if (name_template == NULL)
		fail_msg("%s: %s", text, error);
	return name_template;
}

static const char *render_attempt(const char *text, const struct rps_name_values *values, uint32_t attempt)
{
	static char name[4096];
	struct rps_name_template *name_template = parse(text);

	assert_int_equal(rps_name_template_render(name_template, values, attempt, name, sizeof(name)), 0);
	rps_name_template_destroy(name_template);
	return name;
}

static const char *render(const char *text, const struct rps_name_values *values)
{
	return render_attempt(text, values, 0);
}

static const char *render_path(const char *path)
{
	struct rps_name_values values = usual_values();

	values.path = path;
	values.path_size = strlen(path);
	return render("{path}", &values);
}

/* ---- Names -------------------------------------------------------------------------------- */

static void names_of_the_originals_documentation(void **state)
{
	struct rps_name_values values = usual_values();

	assert_string_equal(render("{time}-{path}-{duration}ms", &values), "1226557778-shop.cart-41ms.prof");
	assert_string_equal(render("{duration:06d}.{path}.{time}", &values),
			    "000041.shop.cart.1226557778.prof");
	assert_string_equal(render(RPS_NAME_DEFAULT_TEMPLATE, &values), "shop.cart.000041ms.1226557778.prof");
}

static void every_field(void **state)
{
	struct rps_name_values values = usual_values();

	assert_string_equal(
	    render("{path}+{duration}+{duration_us}+{time}+{method}+{status}+{pid}+{seq}+{query}", &values),
	    "shop.cart+41+41999+1226557778+GET+200+4711+3+id=7.prof");
	assert_string_equal(rps_name_template_fields(),
			    "path, duration, duration_us, time, method, status, pid, seq, query");
}

static void braces_and_directories(void **state)
{
	struct rps_name_values values = usual_values();

	assert_string_equal(render("{{{path}}}", &values), "{shop.cart}.prof");
	assert_string_equal(render("a{{b}}c", &values), "a{b}c.prof");
	assert_string_equal(render("by-day/{status}/{path}", &values), "by-day/200/shop.cart.prof");
	assert_string_equal(render("{method}/{path}", &values), "GET/shop.cart.prof");
}

static void attempts(void **state)
{
	struct rps_name_values values = usual_values();

	assert_string_equal(render_attempt("d/{path}", &values, 0), "d/shop.cart.prof");
	assert_string_equal(render_attempt("d/{path}", &values, 1), "d/shop.cart.1.prof");
	assert_string_equal(render_attempt("d/{path}", &values, UINT32_MAX), "d/shop.cart.4294967295.prof");
}

static void local_time(void **state)
{
	struct rps_name_values values = usual_values();

	assert_string_equal(render("{time:%Y%m%d-%H%M%S}", &values),
			    "20081113-072938.prof"); /* 06:29:38 UTC */
	assert_string_equal(render("{time:%Y/%m}", &values), "2008.11.prof");
	assert_string_equal(render("{time:%j%%}{path}", &values), "318%shop.cart.prof");
	assert_string_equal(render("{time:>12}", &values), "  1226557778.prof");
}

static void as_python_does(void **state)
{
	static const struct {
		const char *spec, *text;
		uint64_t number;
		const char *expected; /* NULL: an error */
	} cases[] = {
#include "tests/unit/name-template-cases.h"
	};
	struct rps_name_values values = usual_values();
	char text[200], expected[1000], error[500];
	unsigned int n_good = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rps_name_template *name_template;

		/* The letters keep what is only true of a name's first character out of this. */
		snprintf(text, sizeof(text), "x{%s:%s}x", cases[i].text != NULL ? "query" : "seq",
			 cases[i].spec);
		values.query = cases[i].text != NULL ? cases[i].text : "";
		values.seq = cases[i].number;
		name_template = rps_name_template_parse(text, error, sizeof(error));
		if (cases[i].expected == NULL) {
			if (name_template != NULL)
				fail_msg("%s: Python does not take it", text);
			continue;
		}
		rps_name_template_destroy(name_template);
		snprintf(expected, sizeof(expected), "x%sx.prof", cases[i].expected);
		assert_string_equal(render(text, &values), expected);
		n_good++;
	}
	assert_true(n_good > 1000);
}

/* ---- Values that mean harm -------------------------------------------------------------------- */

static void paths(void **state)
{
	static const struct {
		const char *path, *expected;
	} cases[] = {
	    {"/", "root.prof"},
	    {"", "root.prof"},
	    {"///", "root.prof"},
	    {"/a/b/", "a.b.prof"},
	    {"//a//b//", "a..b.prof"},
	    {"/.hidden", "_hidden.prof"},
	    {"/../../etc/passwd", "_.....etc.passwd.prof"},
	    {"..", "_..prof"},
	    {"/~root/x", "_root.x.prof"},
	    {"/-rf", "_rf.prof"},
	    {"/a b;$(c)'\"`|&<>*?[]{}!#\\:^", "a_b___c___________________.prof"},
	    {"/a\nb\x7f\x1b[m", "a_b___m.prof"},
	    {"/caf\xc3\xa9/\xe2\x82\xac", "caf\xc3\xa9.\xe2\x82\xac.prof"},
	    {"/caf\xe9", "caf_.prof"},
	    {"/\xc0\xaf", "__.prof"}, /* an overlong slash */
	    {"/\xe0\x83\xbf", "___.prof"},
	    {"/\xf0\x8f\xbf\xbd", "____.prof"},
	    {"/\xed\xa0\x80", "___.prof"},      /* a surrogate */
	    {"/\xf4\x90\x80\x80", "____.prof"}, /* beyond Unicode */
	    {"/\xe2\x82", "__.prof"},           /* cut off */
	    {"/a\xe2\x80\xae"
	     "b",
	     "a_b.prof"},                /* right to left */
	    {"/a\xc2\x85z", "a_z.prof"}, /* a control beyond ASCII */
	    {"/a.prof", "a_prof.prof"},
	    {"/a.PrOf.x.prof.prof", "a_PrOf.x_prof_prof.prof"},
	};
	struct rps_name_values values = usual_values();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(render_path(cases[i].path), cases[i].expected);
	values.path = "/a\0b/c";
	values.path_size = 6;
	assert_string_equal(render("{path}", &values), "a_b.c.prof");
	values.path = "/x\xe2\x82\xac";
	values.path_size = 4; /* its last character is not whole */
	assert_string_equal(render("{path}", &values), "x__.prof");
	values.path = "/a_b/c";
	values.path_size = 6;
	values.query = "a=1&b=../x";
	assert_string_equal(render("{query}", &values), "a=1_b=...x.prof");
	values.query = "";
	assert_string_equal(render("{query}", &values), "_.prof");
	assert_string_equal(render("{query}/{query}", &values), "_/_.prof");
	/* ".prof" that only comes about where two pieces meet. */
	values.query = "of";
	assert_string_equal(render("a.pr{query}", &values), "a_prof.prof");
	assert_string_equal(render(".{path}", &values), "_a_b.c.prof");
}

static void long_values_keep_the_numbers(void **state)
{
	struct rps_name_values values = usual_values();
	char path[8193], first[300], other[300];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	path[0] = '/';
	values.path = path;
	values.path_size = sizeof(path) - 1;
	strcpy(first, render(RPS_NAME_DEFAULT_TEMPLATE, &values));
	assert_true(strlen(first) <= RPS_NAME_COMPONENT_MAX && strlen(first) > RPS_NAME_COMPONENT_MAX - 20);
	assert_string_equal(strrchr(first, '~') + 17, ".000041ms.1226557778.prof");
	path[sizeof(path) - 2] = 'b';
	strcpy(other, render(RPS_NAME_DEFAULT_TEMPLATE, &values));
	assert_int_equal(strlen(other), strlen(first));
	assert_string_not_equal(other, first);
	assert_true(strlen(render_attempt(RPS_NAME_DEFAULT_TEMPLATE, &values, UINT32_MAX)) <=
		    RPS_NAME_COMPONENT_MAX);
	/* What the user's own precision leaves away needs no hash. */
	assert_string_equal(render("{path:.5}", &values), "aaaaa.prof");
	/* The longest gives way, the short ones stay whole. */
	assert_true(strncmp(render("{method}-{path}-{query}", &values), "GET-aaaa", 8) == 0);
	assert_non_null(strstr(render("{method}-{path}-{query}", &values), "-id=7.prof"));
	values.query = "a_query_that_is_longer_than_a_hash";
	assert_int_equal(
	    strncmp(render("{query}-{path}", &values), "a_query_that_is_longer_than_a_hash-aaaa", 39), 0);
	/* Two long ones: both are cut. */
	values.query = path + 1;
	strcpy(first, render("{path}-{query}-{seq}", &values));
	assert_true(strlen(first) <= RPS_NAME_COMPONENT_MAX);
	assert_ptr_not_equal(strchr(first, '~'), strrchr(first, '~'));
	assert_string_equal(strrchr(first, '~') + 17, "-3.prof");
	/* Nothing that could be cut alone: the whole is. */
	assert_true(strlen(render("{seq:0200d}{seq:0200d}", &values)) <= RPS_NAME_COMPONENT_MAX);
	values.seq++;
	strcpy(first, render("{seq:0200d}{seq:0200d}", &values));
	values.seq++;
	assert_string_not_equal(render("{seq:0200d}{seq:0200d}", &values), first);
}

static void cuts_between_characters(void **state)
{
	struct rps_name_values values = usual_values();
	char path[2000];

	for (size_t shift = 0; shift < 4; shift++) {
		const char *name;
		uint32_t code_point;
		size_t length;

		memset(path, 'a', shift);
		for (size_t i = 0; i < 400; i++)
			memcpy(path + shift + i * 4, "\xf0\x9f\x92\xa9", 4);
		values.path = path;
		values.path_size = shift + 1600;
		name = render("{path}", &values);
		assert_true(strlen(name) <= RPS_NAME_COMPONENT_MAX);
		for (; *name != '\0'; name += length) {
			length = rps_utf8_decode(name, strlen(name), &code_point);
			assert_int_not_equal(length, 0);
		}
	}
}

static uint32_t random_below(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % n;
}

/* Any bytes at all: what the header promises of names, and that none is the beginning of another. */
static void promises_hold_for_any_bytes(void **state)
{
	static const char *const texts[] = {
	    RPS_NAME_DEFAULT_TEMPLATE,        "{path}",     "{query}{path}",
	    "{path:>30}/{query:.3}.pr{path}", ".{query}of", "{method}/{query:_^9}"};
	static const char *const bits[] = {
	    "/",        ".",  "..", ".prof", ".Pr",  "of",      "\xe2\x80\xae", "\xff", "a",
	    "\xc3\xa4", "\n", "~",  "-",     "prof", ".1.prof", "\xf0\x9f",     "%"};
	uint64_t random_state = 7;
	char names[400][512];

	for (size_t i = 0; i < 400; i++) {
		struct rps_name_values values = usual_values();
		char path[1200] = "", query[1200] = "";
		const char *at;
		size_t component = 0, length;
		uint32_t code_point;

		for (uint32_t n = random_below(&random_state, i % 3 == 0 ? 200 : 8); n > 0; n--)
			strcat(path, bits[random_below(&random_state, sizeof(bits) / sizeof(bits[0]))]);
		for (uint32_t n = random_below(&random_state, i % 5 == 0 ? 200 : 8); n > 0; n--)
			strcat(query, bits[random_below(&random_state, sizeof(bits) / sizeof(bits[0]))]);
		values.path = path;
		values.path_size = strlen(path);
		values.query = query;
		strcpy(names[i], render_attempt(texts[i % 6], &values, i % 4));
		for (at = names[i]; *at != '\0'; at += length) {
			length = rps_utf8_decode(at, strlen(at), &code_point);
			assert_true(length > 0 && code_point >= 0x20 && code_point != 0x7f);
			if (component == 0)
				assert_true(*at != '.' && *at != '/');
			component = *at == '/' ? 0 : component + length;
			assert_true(component <= RPS_NAME_COMPONENT_MAX);
		}
	}
	for (size_t i = 0; i < 400; i++)
		for (size_t j = 0; j < 400; j++)
			if (strlen(names[i]) < strlen(names[j]))
				assert_int_not_equal(strncasecmp(names[i], names[j], strlen(names[i])), 0);
}

/* ---- Bad templates ------------------------------------------------------------------------------ */

static void bad_templates(void **state)
{
	static const struct {
		const char *text, *error; /* a part of the message */
	} cases[] = {
	    {"", "empty"},
	    {"{paht}", "unknown field {paht} (known: path, duration, duration_us, time"},
	    {"{}", "unknown field {}"},
	    {"{0}", "unknown field {0}"},
	    {"{path.x}", "unknown field {path.x}"},
	    {"{path", "{ without }"},
	    {"{path:>3", "{ without }"},
	    {"a{", "{ without }"},
	    {"a}", "single }"},
	    {"{path}}", "single }"},
	    {"{path!r}", "conversions"},
	    {"{path:{width}}", "fields inside of fields"},
	    {"{duration:06q}", "{duration}: bad format \"06q\": the type of a number is d, n, x, X, o, b, e, E, f, F, g, G or %"},
	    {"{duration:s}", "the type of a number"},
	    {"{duration:.101f}", "the precision is above 100"},
	    {"{duration:zd}", "negative zero"},
	    {"{duration:.2}", "no precision"},
	    {"{path:d}", "the type of a text is s"},
	    {"{path:=9}", "aligned"},
	    {"{path:+}", "no sign"},
	    {"{path:#}", "alternate"},
	    {"{path:,}", "thousands"},
	    {"{path:201}", "above 200"},
	    {"{path:99999999999999999999}", "above 200"},
	    {"{time:%Q}", "%Q is unknown"},
	    {"{time:%Y%}", "% is unknown"},
	    {"/{path}", "begins with /"},
	    {"{path}/", "empty part"},
	    {"a//b", "empty part"},
	    {"../{path}", "directory \"..\""},
	    {"a/../b", "directory \"..\""},
	    {"a/..", "directory \"..\""},
	    {"./{path}", "directory \".\""},
	    {"{path:/>9}", "no /"},
	    {"a\nb", "U+000A"},
	    {"a\xe2\x80\xae", "U+202E"},
	    {"a\xff", "not UTF-8"},
	    {"a*{path}", "takes for a pattern"},
	    {"{path}[1]", "takes for a pattern"},
	    {"a\\b", "takes for a pattern"},
	};
	char error[500], many[3000] = "";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(error, "");
		if (rps_name_template_parse(cases[i].text, error, sizeof(error)) != NULL)
			fail_msg("\"%s\" is taken", cases[i].text);
		if (strstr(error, cases[i].error) == NULL || strchr(error, '\n') != NULL)
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].text, error, cases[i].error);
	}
	for (size_t i = 0; i < 65; i++)
		strcat(many, "{path}");
	assert_null(rps_name_template_parse(many, error, sizeof(error)));
	assert_non_null(strstr(error, "more than 64 parts"));
	memset(many, 'a', 1001);
	assert_null(rps_name_template_parse(many, error, sizeof(error)));
	assert_non_null(strstr(error, "longer than 1000"));
}

static void small_buffers(void **state)
{
	struct rps_name_values values = usual_values();
	struct rps_name_template *name_template = parse("d/{path}");
	char *out;
	int error = -ENAMETOOLONG;

	for (size_t size = 1; size < 60; size++) {
		out = malloc(size); /* so that a write behind it is noticed */
		assert_non_null(out);
		error = rps_name_template_render(name_template, &values, 0, out, size);
		if (size <= strlen("d/shop.cart.prof"))
			assert_int_equal(error, -ENAMETOOLONG);
		if (error == 0)
			assert_string_equal(out, "d/shop.cart.prof");
		else
			assert_int_equal(error, -ENAMETOOLONG);
		free(out);
	}
	assert_int_equal(error, 0);
	rps_name_template_destroy(name_template);
	rps_name_template_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_the_originals_documentation),
	    cmocka_unit_test(every_field),
	    cmocka_unit_test(braces_and_directories),
	    cmocka_unit_test(attempts),
	    cmocka_unit_test(local_time),
	    cmocka_unit_test(as_python_does),
	    cmocka_unit_test(paths),
	    cmocka_unit_test(long_values_keep_the_numbers),
	    cmocka_unit_test(cuts_between_characters),
	    cmocka_unit_test(promises_hold_for_any_bytes),
	    cmocka_unit_test(bad_templates),
	    cmocka_unit_test(small_buffers),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
