/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See folded_write.h. Called by tools. */
#include "profile/folded_write.h"

#include "profile/order.h"
#include "profile/unfold.h"
#include "profile/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	const struct rps_profile *profile;
	FILE *out;
	char **names;    /* of each function, escaped */
	uint32_t *stack; /* of functions, the leaf first */
	int is_titled;   /* the root is only that */
};

/* A name without what would end it or the line. NULL when out of memory. */
static char *escape(const char *name)
{
	char *plain = rps_utf8_escape(name[0] != '\0' ? name : "???", RPS_UTF8_CONTROLS), *escaped, *out;

	if (plain == NULL)
		return NULL;
	out = escaped = malloc(strlen(plain) * 4 + 1);
	for (const char *at = plain; escaped != NULL && *at != '\0'; at++) {
		if (*at == ';' || (*at == '#' && at == plain))
			out += sprintf(out, "\\x%02x", (unsigned char)*at);
		else
			*out++ = *at;
	}
	if (escaped != NULL)
		*out = '\0';
	free(plain);
	return escaped;
}

static int prepare(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;

	writer->names = calloc(profile->n_functions, sizeof(*writer->names));
	writer->stack = malloc(profile->n_nodes * sizeof(*writer->stack));
	if (writer->names == NULL || writer->stack == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->n_functions; i++) {
		writer->names[i] = escape(profile->functions[i].name);
		if (writer->names[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void put_stack(struct writer *writer, uint32_t node)
{
	const struct rps_profile *profile = writer->profile;
	uint32_t n = 0;

	for (uint32_t at = node; at != 0; at = profile->nodes[at].parent)
		writer->stack[n++] = profile->nodes[at].function;
	if (!writer->is_titled)
		writer->stack[n++] = profile->nodes[0].function;
	while (n-- > 0) {
		fputs_unlocked(writer->names[writer->stack[n]], writer->out);
		putc_unlocked(n > 0 ? ';' : ' ', writer->out);
	}
	fprintf(writer->out, "%" PRIu64 "\n", profile->nodes[node].self[0]);
}

int rps_folded_write(const struct rps_profile *profile, FILE *out)
{
	struct rps_unfolded unfolded;
	struct writer writer = {.profile = rps_profile_with_contexts(profile, &unfolded), .out = out};
	uint32_t *order = writer.profile != NULL ? rps_profile_order(writer.profile) : NULL;
	int error = order != NULL ? prepare(&writer) : -ENOMEM;

	errno = 0;
	if (error != 0)
		goto out;
	writer.is_titled = profile->is_flat && profile->nodes[0].first_edge == RPS_NONE;
	fprintf(out, "%srooted=%d event=%s total=%" PRIu64 "\n", RPS_FOLDED_TITLE, !writer.is_titled,
		profile->events[0].name, rps_profile_total(profile, 0));
	for (uint32_t i = 0; i < writer.profile->n_nodes; i++)
		/* The root always: it names all. */
		if (writer.profile->nodes[order[i]].self[0] != 0 || (order[i] == 0 && !writer.is_titled))
			put_stack(&writer, order[i]);
	if (fflush(out) != 0 || ferror(out))
		error = errno != 0 ? -errno : -EIO;
out:
	for (uint32_t i = 0; writer.names != NULL && i < writer.profile->n_functions; i++)
		free(writer.names[i]);
	free(writer.names);
	free(writer.stack);
	free(order);
	rps_unfolded_destroy(&unfolded);
	return error;
}
