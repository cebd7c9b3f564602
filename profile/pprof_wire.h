/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoding of protobuf messages (https://protobuf.dev/programming-guides/encoding), as far as pprof files
 * need it: a message as a sequence of fields, without copying anything and in memory that does not grow with
 * what is in the file. Tables and samples of a profile are thousands of tiny messages; protobuf-c, which makes
 * an object of each and which the writer uses, takes three times as long for a file. Called by pprof_*.c. */
#ifndef RPS_PROFILE_PPROF_WIRE_H
#define RPS_PROFILE_PPROF_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* What is left of a message. */
struct rps_wire {
	const uint8_t *at, *end;
};

enum rps_wire_type { RPS_WIRE_NUMBER = 0, RPS_WIRE_64_BITS = 1, RPS_WIRE_BYTES = 2, RPS_WIRE_32_BITS = 5 };

struct rps_wire_field {
	uint64_t number; /* in the message's definition */
	enum rps_wire_type type;
	uint64_t value;        /* of RPS_WIRE_NUMBER */
	struct rps_wire bytes; /* of RPS_WIRE_BYTES: a text, a message, or many numbers */
};

/* The next field. 1; 0 at the message's end; -EBADMSG with a sentence in *why. */
int rps_wire_next(struct rps_wire *message, struct rps_wire_field *field, const char **why);

/* A message whose first fields are numbers: numbers[i] becomes what field i is, 0 if it is not there. Fields
 * from n_numbers on are skipped. 0 or -EBADMSG. */
int rps_wire_read_numbers(struct rps_wire message, uint64_t *numbers, uint32_t n_numbers);

/* A repeated number. All zero is empty; `at` is malloc'ed. */
struct rps_wire_list {
	uint64_t *at;
	size_t n, room;
};

/* Adds what one field has of it, packed or not. 0, -EBADMSG, -ENOMEM, or -E2BIG: more than any profile needs. */
int rps_wire_list_add(struct rps_wire_list *list, const struct rps_wire_field *field);

#endif
