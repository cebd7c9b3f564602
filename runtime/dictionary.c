/* SPDX-License-Identifier: MIT */
/* See dictionary.h. Insertion, by any number of threads at once:
 *
 *   1. look for the entry along its probe sequence; found: done
 *   2. take heap by fetch_add, write the entry
 *   3. compare-and-swap its id into the first empty place (release: whoever reads the id sees the entry);
 *      lost to another entry: compare with that one, and go on along the sequence
 *
 * Two threads that insert the same entry contend for the same place, so one of
 * them loses and finds the other's: contents stay unique, a little heap is lost.
 */
#include "runtime/dictionary.h"

#include "runtime/image.h"

#include <stdatomic.h>
#include <string.h>

#define N_PROBES_MAX 4096u

static char *heap(void)
{
	return (char *)rps_pool + RPS_DICT_HEAP_OFFSET;
}

static uint32_t hash_bytes(uint32_t kind, const void *payload, size_t size)
{
	const uint8_t *bytes = payload;
	uint32_t hash = 2166136261u ^ kind; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static int entry_is(uint32_t id, uint32_t kind, uint32_t hash, const void *payload, size_t size)
{
	const struct rps_entry *entry = (const struct rps_entry *)(heap() + id);

	return entry->hash == hash && entry->kind == kind && entry->size == size &&
	       memcmp(entry + 1, payload, size) == 0;
}

/* 0 when the heap is full. */
static uint32_t write_entry(uint32_t kind, uint32_t hash, const void *payload, size_t size)
{
	uint32_t room = (uint32_t)((sizeof(struct rps_entry) + size + 7) & ~(size_t)7);
	uint32_t id = atomic_load_explicit(&rps_pool->dict_used, memory_order_relaxed);
	struct rps_entry *entry;

	do {
		if (id > RPS_DICT_HEAP_SIZE - room)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(&rps_pool->dict_used, &id, id + room,
							memory_order_relaxed, memory_order_relaxed));
	entry = (struct rps_entry *)(heap() + id);
	entry->kind = kind;
	entry->size = (uint32_t)size;
	entry->hash = hash;
	memcpy(entry + 1, payload, size);
	return id;
}

static uint32_t intern(uint32_t kind, const void *payload, size_t size)
{
	_Atomic uint32_t *table = (_Atomic uint32_t *)((char *)rps_pool + RPS_DICT_TABLE_OFFSET);
	uint32_t hash = hash_bytes(kind, payload, size);
	uint32_t mine = 0;

	if (size > RPS_DICT_HEAP_SIZE / 64)
		return 0;
	for (uint32_t probe = 0; probe < N_PROBES_MAX; probe++) {
		_Atomic uint32_t *place = &table[(hash + probe) % RPS_DICT_SLOTS];
		uint32_t id = atomic_load_explicit(place, memory_order_acquire);

		if (id == 0) {
			if (mine == 0)
				mine = write_entry(kind, hash, payload, size);
			if (mine == 0)
				break;
			if (atomic_compare_exchange_strong_explicit(place, &id, mine, memory_order_release,
								    memory_order_acquire))
				return mine;
		}
		if (entry_is(id, kind, hash, payload, size))
			return id;
	}
	atomic_fetch_add_explicit(&rps_pool->lost_functions, 1, memory_order_relaxed);
	return 0;
}

uint32_t rps_dictionary_string(const char *string)
{
	if (string == NULL || string[0] == '\0')
		return 0;
	return intern(RPS_ENTRY_STRING, string, strlen(string));
}

uint32_t rps_dictionary_image(const struct rps_image_entry *image)
{
	return intern(RPS_ENTRY_IMAGE, image, sizeof(*image));
}

uint32_t rps_dictionary_record(struct rps_function_record *record)
{
	uint32_t id = atomic_load_explicit(&record->id, memory_order_acquire);
	struct rps_function_entry entry = {0};
	uintptr_t unused;

	if (id != 0)
		return id;
	entry.name = rps_dictionary_string(record->name);
	entry.symbol = rps_dictionary_string(record->symbol);
	entry.file = rps_dictionary_string(record->file);
	entry.line = record->line;
	entry.image = rps_image_find((uintptr_t)record, &unused);
	/* Racing threads find the same id, so the last store is as good as the first. Whoever reads it passes it on to the collector,
	 * which must find the entry: hence release and acquire. */
	id = intern(RPS_ENTRY_FUNCTION, &entry, sizeof(entry));
	atomic_store_explicit(&record->id, id, memory_order_release);
	return id;
}

uint32_t rps_dictionary_external(struct rps_external_record *record)
{
	uint32_t id = atomic_load_explicit(&record->id, memory_order_acquire);
	struct rps_function_entry entry = {0};

	if (id != 0)
		return id;
	entry.name = rps_dictionary_string(record->name);
	entry.symbol = rps_dictionary_string(record->symbol);
	entry.is_external = 1;
	id = intern(RPS_ENTRY_FUNCTION, &entry, sizeof(entry));
	atomic_store_explicit(&record->id, id, memory_order_release);
	return id;
}

uint32_t rps_dictionary_address(uintptr_t address, int is_external)
{
	struct rps_function_entry entry = {0};
	uintptr_t elf_address;

	entry.image = rps_image_find(address, &elf_address);
	entry.address = elf_address;
	entry.is_external = (uint32_t)is_external;
	return intern(RPS_ENTRY_FUNCTION, &entry, sizeof(entry));
}
