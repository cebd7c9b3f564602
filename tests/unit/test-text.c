/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tools/text.c: what a terminal may see, and how names get shorter. */
#include "tools/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_safe(const char *text, const char *expected)
{
	char *safe = rps_text_safe(text);

	assert_string_equal(safe, expected);
	free(safe);
}

static void nothing_invisible_is_left(void **state)
{
	check_safe("", "");
	check_safe("plain, h\303\244 \342\202\254", "plain, h\303\244 \342\202\254");
	check_safe("a\nb\tc\rd\177", "a\\nb\\tc\\x0dd\\x7f");
	check_safe("\033[31m\007", "\\x1b[31m\\x07");
	check_safe("\302\233 31m", "\\xc2\\x9b 31m"); /* a C1 control */
	check_safe("\342\200\256 right to left", "\\xe2\\x80\\xae right to left");
	check_safe("\377\300\257\355\240\200", "\\xff\\xc0\\xaf\\xed\\xa0\\x80"); /* no UTF-8 */
	check_safe("cut \342\202", "cut \\xe2\\x82");
}

static void check_short(const char *text, size_t columns, const char *expected)
{
	char *cut = rps_text_shorten(text, columns);

	assert_string_equal(cut, expected);
	assert_true(rps_text_width(cut) <= columns || columns < 3);
	free(cut);
}

static void names_lose_the_least_first(void **state)
{
	const char *name = "shop::Cart<std::pair<int, long> >::add(std::string const&, int) const";

	check_short(name, 100, name);
	check_short(name, 69, name);
	check_short(name, 60, "shop::Cart<std::pair<int, long> >::add(\342\200\246) const");
	check_short(name, 30, "shop::Cart<\342\200\246>::add(\342\200\246) const");
	check_short(name, 20, "shop::\342\200\246:add(\342\200\246) const");
	check_short("f(int)", 5, "f\342\200\246nt)");
}

static void operators_are_no_brackets(void **state)
{
	check_short("operator<<(std::ostream&, shop::Item const&)", 20, "operator<<(\342\200\246)");
	check_short("shop::Item::operator()(int, long, char)", 30, "shop::Item::operator()(\342\200\246)");
	check_short("(anonymous namespace)::helper(int, int, int, int)", 35,
		    "(anonymous namespace)::helper(\342\200\246)");
	check_short("std::enable_if<(3 > 2), foo<bar>(baz)>::type", 30, "std::enable_if<\342\200\246>::type");
}

static void wide_characters_count_twice(void **state)
{
	const char *name =
	    "\346\274\242\345\255\227\346\274\242\345\255\227\346\274\242\345\255\227"; /* six, twelve columns
											 */

	assert_int_equal(rps_text_width(name), 12);
	for (size_t columns = 3; columns < 12; columns++) {
		char *cut = rps_text_shorten(name, columns);

		assert_true(rps_text_width(cut) <= columns);
		free(cut);
		cut = rps_text_cut(name, columns);
		assert_true(rps_text_width(cut) <= columns);
		free(cut);
	}
}

static void check_number(uint64_t number, const char *expected, const char *in_ms)
{
	char text[RPS_TEXT_NUMBER_SIZE];

	rps_text_number(text, number);
	assert_string_equal(text, expected);
	rps_text_ms(text, number);
	assert_string_equal(text, in_ms);
}

static void numbers_have_separators(void **state)
{
	check_number(0, "0", "0.000000");
	check_number(999, "999", "0.000999");
	check_number(1000, "1,000", "0.001000");
	check_number(1234567890, "1,234,567,890", "1,234.567890");
	check_number(UINT64_MAX, "18,446,744,073,709,551,615", "18,446,744,073,709.551615");
}

static void json_is_valid(void **state)
{
	char *json = NULL;
	size_t size;
	FILE *stream = open_memstream(&json, &size);

	rps_text_put_json(stream, "a\"b\\c\nd\033e\377f\342\200\256g\303\244");
	fclose(stream);
	assert_string_equal(json, "\"a\\\"b\\\\c\\u000ad\\u001be\\ufffdf\\u202eg\303\244\"");
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_invisible_is_left), cmocka_unit_test(names_lose_the_least_first),
	    cmocka_unit_test(operators_are_no_brackets), cmocka_unit_test(wide_characters_count_twice),
	    cmocka_unit_test(numbers_have_separators),   cmocka_unit_test(json_is_valid),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
