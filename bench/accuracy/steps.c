/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program whose functions all take more than 100 ns of their own: what a profile should get right with
 * ease. Each does something of another kind (dependent arithmetic, memory, branches, division), so that their
 * shares differ.
 */
#include "report.h"

#include <stdint.h>
#include <stdlib.h>

#define TABLE_SIZE 4096

static uint32_t table[TABLE_SIZE];
static volatile uint32_t sink;

static __attribute__((noinline)) uint32_t mix(uint32_t x, uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
	}
	return x;
}

static uint32_t checksum(uint32_t from)
{
	uint32_t sum = 1;

	for (uint32_t i = 0; i < 256; i++)
		sum = sum * 31 + table[(from + i) % TABLE_SIZE];
	return sum;
}

static uint32_t chase(uint32_t at)
{
	for (uint32_t i = 0; i < 150; i++)
		at = table[at % TABLE_SIZE] + i;
	return at;
}

static uint32_t divisors(uint32_t n)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < 120; i++)
		count += n % i == 0;
	return count;
}

static void sort(uint32_t *numbers, uint32_t size)
{
	for (uint32_t i = 1; i < size; i++) {
		uint32_t number = numbers[i], j = i;

		for (; j > 0 && numbers[j - 1] > number; j--)
			numbers[j] = numbers[j - 1];
		numbers[j] = number;
	}
}

static uint32_t middle_of(uint32_t seed)
{
	uint32_t numbers[32];

	for (uint32_t i = 0; i < 32; i++) {
		seed = seed * 1664525 + 1013904223;
		seed ^= seed >> 11;
		numbers[i] = seed;
	}
	sort(numbers, 32);
	return numbers[16];
}

static uint32_t classify(uint32_t x)
{
	uint32_t kind = 0;

	for (uint32_t i = 0; i < 90; i++) {
		x = x * 1664525 + 1013904223;
		kind += x >> 31 ? x % 3 : x >> 30 ? 7 : 1;
	}
	return kind + mix(x, 100);
}

static uint32_t step(uint32_t i)
{
	uint32_t result = checksum(i);

	for (uint32_t j = 0; j < 80; j++)
		result = (result ^ (result >> 3)) * 2654435761u;
	result ^= chase(result);
	if (i % 2 == 0)
		result ^= divisors(result);
	if (i % 4 == 0)
		result ^= middle_of(result);
	return result ^ classify(i);
}

int main(void)
{
	for (uint32_t i = 0; i < TABLE_SIZE; i++)
		table[i] = i * 2654435761u;
	for (uint32_t i = 0; i < 500000; i++)
		sink ^= step(i);
	report_cpu();
	return 0;
}
