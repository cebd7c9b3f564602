/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/cgi_answer.c: heads of CGI programs, and where the body begins. */
#include "server/cgi_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Takes `text` in pieces of `step`; returns what parsing says, the body's start in *body. */
static int parse(const char *text, size_t step, struct rps_answer *out, size_t *body, const char **why)
{
	struct rps_cgi_answer answer = {0};
	size_t size = strlen(text);
	int rc = -EAGAIN;

	memset(out, 0, sizeof(*out));
	for (*body = 0; *body < size && !answer.is_complete;) {
		size_t used;

		assert_int_equal(rps_cgi_answer_take(&answer, text + *body,
						     size - *body < step ? size - *body : step, &used),
				 0);
		*body += used;
	}
	if (answer.is_complete)
		rc = rps_cgi_answer_parse(&answer, out, why);
	rps_cgi_answer_clear(&answer);
	return rc;
}

static void heads_end_at_an_empty_line(void **state)
{
	static const char *const texts[] = {"A: 1\r\nB: 2 \t\r\n\r\nbody: x\r\n\r\n",
					    "A: 1\nB: 2\n\nbody: x\n\n", "A: 1\r\nB:\t2\n\r\nbody: x"};
	struct rps_answer out;
	const char *why;
	size_t body;

	for (size_t i = 0; i < 3; i++)
		for (size_t step = 1; step < 40; step += 3) {
			assert_int_equal(parse(texts[i], step, &out, &body, &why), 0);
			assert_memory_equal(texts[i] + body, "body: x", 7);
			assert_int_equal(out.status, 200);
			assert_int_equal(out.body_bytes, -1);
			assert_int_equal(out.headers.n, 2);
			assert_string_equal(out.headers.items[1].value, "2");
			rps_header_list_clear(&out.headers);
		}
	assert_int_equal(parse("A: 1\r\nB: 2\r\n", 5, &out, &body, &why), -EAGAIN);
}

static void statuses(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {{"Status: 404 Not Found\n\n", 404},
		     {"status:204\n\n", 204},
		     {"Location: /x\n\n", 302},
		     {"Location: /x\nStatus: 301\n\n", 301},
		     {"HTTP/1.0 503 Busy\nA: 1\n\n", 503}};
	struct rps_answer out;
	const char *why;
	size_t body;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text, 1000, &out, &body, &why), 0);
		assert_int_equal(out.status, cases[i].status);
		rps_header_list_clear(&out.headers);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {"<html>\n\n",
					    "A 1\n\n",
					    ": 1\n\n",
					    "A B: 1\n\n",
					    "Status: x\n\n",
					    "Status: 99\n\n",
					    "Status: 1000\n\n",
					    "Content-Length: -1\n\n",
					    "Content-Length: 1x\n\n",
					    "HTTP/1.1 x\n\n",
					    "Content-Length: 99999999999999999999\n\n"};
	struct rps_answer out;
	const char *why;
	size_t body;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		why = NULL;
		assert_int_equal(parse(texts[i], 7, &out, &body, &why), -EINVAL);
		assert_non_null(why);
		rps_header_list_clear(&out.headers);
	}
}

static void heads_have_a_limit(void **state)
{
	struct rps_cgi_answer answer = {0};
	char *line = malloc(RPS_CGI_HEAD_MAX + 1);
	size_t used;

	memset(line, 'x', RPS_CGI_HEAD_MAX + 1);
	assert_int_equal(rps_cgi_answer_take(&answer, line, RPS_CGI_HEAD_MAX, &used), 0);
	assert_int_equal(rps_cgi_answer_take(&answer, line, 1, &used), -EMSGSIZE);
	rps_cgi_answer_clear(&answer);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heads_end_at_an_empty_line),
	    cmocka_unit_test(statuses),
	    cmocka_unit_test(what_is_none_is_refused),
	    cmocka_unit_test(heads_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
