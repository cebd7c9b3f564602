/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See handover-writer.h. */
#include "tests/unit/handover-writer.h"

#include "runtime/call_tree.h"
#include "runtime/dictionary.h"
#include "runtime/record.h"
#include "runtime/thread.h"

#define N_FUNCTIONS 60
#define N_SITES 20
#define DEPTH_MAX 40
#define STACK_TOP UINT64_C(0x7fff00000000)

static struct rps_function_record functions[N_FUNCTIONS];
static char names[N_FUNCTIONS][4];
static struct rps_site_record sites[N_FUNCTIONS][N_SITES];
static uint32_t path[DEPTH_MAX];

void writer_join(struct rps_pool_header *pool, struct rps_arena_header *arena, uint64_t token, uint64_t epoch)
{
	struct rps_thread *thread = &rps_this_thread;

	rps_pool = pool;
	rps_thread_leave(thread);
	rps_call_tree_reset(arena, token);
	thread->epoch = epoch;
	rps_thread_join(thread, arena);
}

void writer_leave(void)
{
	rps_thread_leave(&rps_this_thread);
	rps_pool = NULL;
}

void writer_fill_dictionary(void)
{
	for (uint32_t i = 0; i < N_FUNCTIONS; i++) {
		names[i][0] = 'f';
		names[i][1] = (char)('0' + i / 10);
		names[i][2] = (char)('0' + i % 10);
		functions[i].name = functions[i].symbol = names[i];
		functions[i].file = "/src/handover.c";
		functions[i].line = i + 1;
		functions[i].hash = i * 2654435761u;
		rps_dictionary_record(&functions[i]);
		for (uint32_t k = 0; k < N_SITES; k++)
			sites[i][k] = (struct rps_site_record){"/src/handover.c", 100 + k, (i * N_SITES + k) * 2654435761u >> 7};
	}
	rps_dictionary_string("/src/handover.c");
}

void writer_begin(struct writer *writer, uint64_t seed)
{
	*writer = (struct writer){.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1};
}

static uint32_t draw(struct writer *writer, uint32_t n)
{
	writer->random ^= writer->random << 13;
	writer->random ^= writer->random >> 7;
	writer->random ^= writer->random << 17;
	return (uint32_t)((writer->random >> 32) * n >> 32);
}

int writer_step(struct writer *writer)
{
	uint32_t function;

	if (writer->depth == DEPTH_MAX || (writer->depth > 0 && draw(writer, 100) < 48)) {
		writer->depth--;
		__runprofile_exit_v2(&functions[path[writer->depth]], (void *)(STACK_TOP - 16 * writer->depth));
		return 0;
	}
	function = draw(writer, N_FUNCTIONS);
	path[writer->depth] = function;
	__runprofile_enter_v2(&functions[function], (void *)(STACK_TOP - 16 * writer->depth), &sites[function][draw(writer, N_SITES)]);
	writer->depth++;
	writer->n_calls++;
	return 1;
}
