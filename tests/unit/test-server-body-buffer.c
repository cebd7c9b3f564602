/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/body_buffer.c: bounded memory, and the file beyond it. */
#include "server/body_buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void nothing_is_lost_or_reordered(void **state)
{
	struct rps_body_buffer buffer;
	unsigned char piece[16384], out[10000];
	uint64_t put = 0, taken = 0;

	/* Whatever mixture of puts and takes: the bytes count up. */
	rps_body_buffer_init(&buffer);
	srand(1);
	for (int round = 0; round < 20000; round++) {
		int may_spill = round % 2000 < 1000;

		if (rand() % 2) {
			size_t size = (size_t)rand() % sizeof(piece) + 1;
			int rc;

			for (size_t i = 0; i < size; i++)
				piece[i] = (unsigned char)((put + i) % 251);
			rc = rps_body_buffer_put(&buffer, piece, size, may_spill);
			assert_true(rc == 0 || (rc == -EAGAIN && !may_spill));
			if (!rc)
				put += size;
		} else {
			ssize_t n = rps_body_buffer_take(&buffer, out, (size_t)rand() % sizeof(out) + 1);

			assert_true(n >= 0);
			assert_true(n > 0 || put == taken);
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(out[i], (taken + (uint64_t)i) % 251);
			taken += (uint64_t)n;
		}
	}
	while (!rps_body_buffer_is_empty(&buffer)) {
		ssize_t n = rps_body_buffer_take(&buffer, out, sizeof(out));

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(out[i], (taken + (uint64_t)i) % 251);
		taken += (uint64_t)n;
	}
	assert_int_equal(put, taken);
	rps_body_buffer_free(&buffer);
}

static void full_buffer_takes_all_or_nothing(void **state)
{
	static char piece[RPS_BODY_BUFFER_SIZE];
	struct rps_body_buffer buffer;
	char byte;

	rps_body_buffer_init(&buffer);
	assert_true(rps_body_buffer_is_empty(&buffer));
	assert_int_equal(rps_body_buffer_take(&buffer, &byte, 1), 0);
	assert_int_equal(rps_body_buffer_put(&buffer, piece, sizeof(piece), 0), 0);
	assert_int_equal(rps_body_buffer_put(&buffer, piece, 1, 0), -EAGAIN);
	assert_int_equal(buffer.used, sizeof(piece));
	assert_int_equal(rps_body_buffer_take(&buffer, &byte, 1), 1);
	assert_int_equal(rps_body_buffer_put(&buffer, piece, 2, 0), -EAGAIN);
	assert_int_equal(rps_body_buffer_put(&buffer, piece, 1, 0), 0);
	rps_body_buffer_clear(&buffer);
	assert_true(rps_body_buffer_is_empty(&buffer));
	rps_body_buffer_free(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_lost_or_reordered),
	    cmocka_unit_test(full_buffer_takes_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
