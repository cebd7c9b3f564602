/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See choice.h. Called by request.c and request_app.c, on the client connections'
 * threads. */
#include "server/choice.h"

#include "server/url.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME "X-Profile"

/* Takes as long for a wrong guess as for a right one, whatever they have in common. */
static int is_secret(const char *secret, const char *guess, size_t guess_size)
{
	size_t size = strlen(secret);
	unsigned char difference = size != guess_size;

	for (size_t i = 0; i < guess_size; i++)
		difference |= (unsigned char)(guess[i] ^ secret[size ? i % size : 0]);
	return !difference;
}

/* ---- Taking it out ------------------------------------------------------------------------- */

static int is_named(const char *text, size_t size)
{
	size_t name_size = sizeof(NAME) - 1;

	return size >= name_size && !strncasecmp(text, NAME, name_size) &&
	       (size == name_size || text[name_size] == '=');
}

/* Removes each piece of `text` called X-Profile. Pieces are divided by `separator`, and blanks behind it if
 * it is a cookie's. Nonzero if one had the secret. */
static int take_from_list(char *text, char separator, const char *secret)
{
	char *from = text, *to = text;
	int found = 0;

	while (*from) {
		size_t blanks = separator == ';' ? strspn(from, " \t") : 0;
		size_t size = strcspn(from + blanks, separator == ';' ? ";" : "&");
		const char *piece = from + blanks;

		if (is_named(piece, size)) {
			size_t name_size = sizeof(NAME);
			char *value = malloc(size + 1);

			if (!value)
				return -ENOMEM;
			if (size > name_size) {
				size_t n = separator == '&'
					       ? rps_url_decode(piece + name_size, size - name_size, value)
					       : (memcpy(value, piece + name_size, size - name_size),
						  size - name_size);

				found |= is_secret(secret, value, n);
			}
			explicit_bzero(value, size);
			free(value);
		} else {
			if (to != text)
				*to++ = separator;
			if (to == text)
				from += blanks, blanks = 0;
			memmove(to, from, blanks + size);
			to += blanks + size;
		}
		from += blanks + size;
		if (*from)
			from++;
	}
	*to = 0;
	return found;
}

int rps_choice_take_trigger(const struct rps_options *options, struct rps_header_list *headers, char **target)
{
	char *mark = strchr(*target, '?');
	int found = 0, rc;

	if (!options->trigger)
		return 0;
	for (size_t i = 0; i < headers->n;) {
		struct rps_header *header = &headers->items[i];

		if (!strcasecmp(header->name, NAME)) {
			found |= is_secret(options->trigger, header->value, strlen(header->value));
			rps_header_list_remove(headers, i);
			continue;
		}
		if (!strcasecmp(header->name, "Cookie")) {
			rc = take_from_list(header->value, ';', options->trigger);
			if (rc < 0)
				return rc;
			found |= rc;
			if (!*header->value) {
				rps_header_list_remove(headers, i);
				continue;
			}
		}
		i++;
	}
	if (mark) {
		size_t before = strlen(mark + 1);

		rc = take_from_list(mark + 1, '&', options->trigger);
		if (rc < 0)
			return rc;
		found |= rc;
		if (before && !mark[1])
			*mark = 0;
	}
	return found;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static int matches(const struct rps_text_list *patterns, const char *path)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (!fnmatch(patterns->items[i], path, 0))
			return 1;
	return 0;
}

int rps_choice_profiles(struct rps_choice *choice, const struct rps_options *options, const char *path,
			int triggered)
{
	if (atomic_load(&choice->is_off) || (options->trigger && !triggered) ||
	    (options->only.n && !matches(&options->only, path)) || matches(&options->skip, path))
		return 0;
	return atomic_fetch_add(&choice->n_matched, 1) % options->every == 0;
}
