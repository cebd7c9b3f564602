/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_sample.h. */
#include "profile/pprof_sample.h"

#include <errno.h>
#include <stdlib.h>

/* Of the label only its key matters: there is no place for values. */
static int read_label(struct rps_pprof_sample *sample, const struct rps_wire_field *field)
{
	struct rps_wire_field key = {.type = RPS_WIRE_NUMBER};
	uint64_t numbers[5];

	if (field->type != RPS_WIRE_BYTES || rps_wire_read_numbers(field->bytes, numbers, 5) != 0)
		return -EBADMSG;
	key.value = numbers[1];
	return rps_wire_list_add(&sample->label_keys, &key);
}

static int read_field(struct rps_pprof_sample *sample, const struct rps_wire_field *field)
{
	switch (field->number) {
	case 1:
		return rps_wire_list_add(&sample->locations, field);
	case 2:
		return rps_wire_list_add(&sample->values, field);
	case 3:
		return read_label(sample, field);
	case 1001:
		return rps_wire_list_add(&sample->inclusive, field);
	case 1002:
		sample->into_overflow = field->value != 0;
		return field->type == RPS_WIRE_NUMBER ? 0 : -EBADMSG;
	default:
		return 0;
	}
}

int rps_pprof_sample_read(struct rps_pprof_sample *sample, struct rps_wire message)
{
	struct rps_wire_field field;
	const char *why;
	int result, error = 0;

	sample->locations.n = sample->values.n = sample->label_keys.n = sample->inclusive.n = 0;
	sample->into_overflow = false;
	while (error == 0 && (result = rps_wire_next(&message, &field, &why)) != 0)
		error = result < 0 ? result : read_field(sample, &field);
	return error;
}

void rps_pprof_sample_clear(struct rps_pprof_sample *sample)
{
	free(sample->locations.at);
	free(sample->values.at);
	free(sample->label_keys.at);
	free(sample->inclusive.at);
	*sample = (struct rps_pprof_sample){0};
}
