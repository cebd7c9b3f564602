/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_fields.h. */
#include "profile/pprof_fields.h"

#include <errno.h>
#include <stdlib.h>

#define FIELD_MEMORY_MAX (32u << 20)

struct rps_pprof_block {
	struct rps_pprof_block *next;
	_Alignas(16) unsigned char memory[];
};

static void *allocate(void *cls, size_t size)
{
	struct rps_pprof_fields *fields = cls;
	struct rps_pprof_block *block;

	if (size > FIELD_MEMORY_MAX - fields->allocated)
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	fields->allocated += size;
	block->next = fields->blocks;
	fields->blocks = block;
	return block->memory;
}

static void keep(void *cls, void *memory)
{
}

static void free_blocks(struct rps_pprof_fields *fields)
{
	struct rps_pprof_block *next;

	for (; fields->blocks != NULL; fields->blocks = next) {
		next = fields->blocks->next;
		free(fields->blocks);
	}
	fields->allocated = 0;
}

static int fail(struct rps_pprof_fields *fields, const char *why)
{
	fields->why = why;
	return -EBADMSG;
}

static int read_varint(struct rps_pprof_fields *fields, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (fields->at == fields->size)
			return fail(fields, "the file is cut off");
		byte = fields->bytes[fields->at++];
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return 0;
	}
	return fail(fields, "a number beyond 64 bits");
}

/* Moves behind one field. */
static int skip(struct rps_pprof_fields *fields, uint64_t *number)
{
	uint64_t key, size;
	int error = read_varint(fields, &key);

	if (error != 0)
		return error;
	*number = key >> 3;
	if (*number == 0)
		return fail(fields, "this is no pprof file, or it is damaged (a field with number 0)");
	switch (key & 7) {
	case 0:
		return read_varint(fields, &size);
	case 1:
		size = 8;
		break;
	case 2:
		error = read_varint(fields, &size);
		if (error != 0)
			return error;
		break;
	case 5:
		size = 4;
		break;
	default:
		return fail(fields, "this is no pprof file, or it is damaged (a field of unknown type)");
	}
	if (size > fields->size - fields->at)
		return fail(fields, "the file is cut off");
	fields->at += size;
	return 0;
}

int rps_pprof_fields_next(struct rps_pprof_fields *fields, uint64_t wanted, const Rps__Pprof__Profile **piece)
{
	ProtobufCAllocator allocator = {allocate, keep, fields};
	uint64_t number;

	free_blocks(fields);
	do {
		int error;

		fields->offset = fields->at;
		if (fields->at == fields->size)
			return 0;
		error = skip(fields, &number);
		if (error != 0)
			return error;
	} while ((wanted >> (number < 64 ? number : 0) & 1) == 0);
	*piece = rps__pprof__profile__unpack(&allocator, fields->at - fields->offset,
					     fields->bytes + fields->offset);
	if (*piece != NULL)
		return 1;
	if (fields->at - fields->offset > FIELD_MEMORY_MAX / 64) {
		fields->why = "the field is larger than any profile needs";
		return -E2BIG;
	}
	return fail(fields, "this is no pprof file, or it is damaged (the field makes no sense)");
}

void rps_pprof_fields_rewind(struct rps_pprof_fields *fields)
{
	free_blocks(fields);
	fields->at = 0;
}
