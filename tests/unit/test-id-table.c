/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes spread what profiles are full of: numbered names, and edges from one node to the next. */
#include "profile/id_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_KEYS 200000u
#define N_PLACES (1u << 20)

static unsigned char *places;

static uint32_t collisions(uint64_t (*hash)(uint32_t i))
{
	uint32_t n = 0;

	memset(places, 0, N_PLACES);
	for (uint32_t i = 0; i < N_KEYS; i++) {
		unsigned char *place = &places[(uint32_t)(hash(i) >> 32) & (N_PLACES - 1)];

		n += *place;
		*place = 1;
	}
	return n;
}

static uint64_t hash_name(uint32_t i)
{
	char name[24];
	int size = snprintf(name, sizeof(name), "b%u", i * 7);

	return rps_hash_bytes(name, (size_t)size);
}

static uint64_t hash_node(uint32_t i)
{
	return rps_hash_mix(rps_hash_mix(0, i), i / 3);
}

static uint64_t hash_chain(uint32_t i)
{
	return rps_hash_mix(rps_hash_mix(rps_hash_mix(i, i + 1), 0), 0x7ffc12345678);
}

static uint64_t hash_pointers(uint32_t i)
{
	return rps_hash_mix(rps_hash_mix(i, 0x55d000000000 + i * 16u), 0x55d000000040);
}

static void test_spread(void **state)
{
	/* By chance it would be some 18,000. */
	assert_in_range(collisions(hash_name), 0, 25000);
	assert_in_range(collisions(hash_node), 0, 25000);
	assert_in_range(collisions(hash_chain), 0, 25000);
	assert_in_range(collisions(hash_pointers), 0, 25000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_spread)};
	int result;

	places = malloc(N_PLACES);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	free(places);
	return result;
}
