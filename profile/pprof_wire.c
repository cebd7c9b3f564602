/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_wire.h. */
#include "profile/pprof_wire.h"

#include <errno.h>
#include <stdlib.h>

#define LIST_MAX (4u << 20)

static int fail(const char **why, const char *sentence)
{
	*why = sentence;
	return -EBADMSG;
}

static int read_long_number(struct rps_wire *wire, uint64_t *value, const char **why)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (wire->at == wire->end)
			return fail(why, "the file is cut off");
		byte = *wire->at++;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return 0;
	}
	return fail(why, "a number beyond 64 bits");
}

/* Most have one byte. */
static inline int read_number(struct rps_wire *wire, uint64_t *value, const char **why)
{
	if (wire->at != wire->end && *wire->at < 0x80) {
		*value = *wire->at++;
		return 0;
	}
	return read_long_number(wire, value, why);
}

int rps_wire_next(struct rps_wire *message, struct rps_wire_field *field, const char **why)
{
	uint64_t key, size;
	int error;

	if (message->at == message->end)
		return 0;
	error = read_number(message, &key, why);
	if (error != 0)
		return error;
	field->number = key >> 3;
	field->type = key & 7;
	if (field->number == 0)
		return fail(why, "this is no pprof file, or it is damaged (a field with number 0)");
	switch (field->type) {
	case RPS_WIRE_NUMBER:
		error = read_number(message, &field->value, why);
		return error != 0 ? error : 1;
	case RPS_WIRE_64_BITS:
		size = 8;
		break;
	case RPS_WIRE_BYTES:
		error = read_number(message, &size, why);
		if (error != 0)
			return error;
		break;
	case RPS_WIRE_32_BITS:
		size = 4;
		break;
	default:
		return fail(why, "this is no pprof file, or it is damaged (a field of unknown type)");
	}
	if (size > (size_t)(message->end - message->at))
		return fail(why, "the file is cut off");
	field->bytes = (struct rps_wire){message->at, message->at + size};
	message->at += size;
	return 1;
}

int rps_wire_read_numbers(struct rps_wire message, uint64_t *numbers, uint32_t n_numbers)
{
	struct rps_wire_field field;
	const char *why;
	int result;

	for (uint32_t i = 0; i < n_numbers; i++)
		numbers[i] = 0;
	while ((result = rps_wire_next(&message, &field, &why)) == 1) {
		if (field.number >= n_numbers)
			continue;
		if (field.type != RPS_WIRE_NUMBER)
			return -EBADMSG;
		numbers[field.number] = field.value;
	}
	return result;
}

static int make_room(struct rps_wire_list *list, size_t n_more)
{
	const size_t wanted = list->n + n_more, room = wanted < 64 ? 64 : wanted * 2;
	uint64_t *grown;

	if (wanted <= list->room)
		return 0;
	if (wanted > LIST_MAX)
		return -E2BIG;
	grown = realloc(list->at, room * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	list->at = grown;
	list->room = room;
	return 0;
}

static int add_packed(struct rps_wire_list *list, struct rps_wire packed)
{
	/* A number has a byte at least. */
	int error = make_room(list, (size_t)(packed.end - packed.at));
	const char *why;

	while (packed.at != packed.end && error == 0)
		error = read_number(&packed, &list->at[list->n++], &why);
	return error;
}

int rps_wire_list_add(struct rps_wire_list *list, const struct rps_wire_field *field)
{
	int error;

	if (field->type == RPS_WIRE_BYTES)
		return add_packed(list, field->bytes);
	if (field->type != RPS_WIRE_NUMBER)
		return -EBADMSG;
	error = make_room(list, 1);
	if (error == 0)
		list->at[list->n++] = field->value;
	return error;
}
