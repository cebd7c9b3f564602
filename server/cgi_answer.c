/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See cgi_answer.h. Called by stream.c, on the client connection's thread. */
#include "server/cgi_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void rps_cgi_answer_clear(struct rps_cgi_answer *answer)
{
	free(answer->text);
	memset(answer, 0, sizeof(*answer));
}

/* Is the last line an empty one? */
static int ends_head(const char *text, size_t size)
{
	if (!size || text[size - 1] != '\n')
		return 0;
	size--;
	if (size && text[size - 1] == '\r')
		size--;
	return !size || text[size - 1] == '\n';
}

int rps_cgi_answer_take(struct rps_cgi_answer *answer, const char *data, size_t size, size_t *used)
{
	*used = 0;
	while (!answer->is_complete && *used < size) {
		const char *newline = memchr(data + *used, '\n', size - *used);
		size_t n = newline ? (size_t)(newline - data) + 1 - *used : size - *used;

		if (answer->size + n > RPS_CGI_HEAD_MAX)
			return -EMSGSIZE;
		if (answer->size + n + 1 > answer->allocated) {
			size_t allocated = 2 * (answer->size + n) + 512;
			char *text = realloc(answer->text, allocated);

			if (!text)
				return -ENOMEM;
			answer->text = text;
			answer->allocated = allocated;
		}
		memcpy(answer->text + answer->size, data + *used, n);
		answer->size += n;
		answer->text[answer->size] = 0;
		*used += n;
		answer->is_complete = ends_head(answer->text, answer->size);
	}
	return 0;
}

/* "404 Not Found" */
static int parse_status(const char *text, uint32_t *status)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || (*end && *end != ' ' && *end != '\t') || number < 200 || number > 999)
		return -EINVAL;
	*status = (uint32_t)number;
	return 0;
}

static int is_token(const char *text, size_t size)
{
	if (!size)
		return 0;
	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", text[i]))
			return 0;
	return 1;
}

static int parse_length(const char *text, int64_t *bytes)
{
	char *end;

	errno = 0;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	*bytes = strtoll(text, &end, 10);
	return *end || errno ? -EINVAL : 0;
}

struct head {
	int has_status, has_location;
};

static int parse_line(char *line, size_t size, struct rps_answer *out, struct head *head, const char **why)
{
	char *colon = memchr(line, ':', size), *value;

	*why = "a line of its head is no header field";
	if (memchr(line, 0, size) || !colon || !is_token(line, (size_t)(colon - line)))
		return -EINVAL;
	*colon = 0;
	value = colon + 1 + strspn(colon + 1, " \t");
	if (!strcasecmp(line, "Status")) {
		*why = "its Status is none";
		head->has_status = 1;
		return parse_status(value, &out->status);
	}
	if (!strcasecmp(line, "Content-Length")) {
		*why = "its Content-Length is no number";
		return parse_length(value, &out->body_bytes);
	}
	if (!strcasecmp(line, "Location"))
		head->has_location = 1;
	return rps_header_list_add(&out->headers, line, strlen(line), value, strlen(value));
}

int rps_cgi_answer_parse(const struct rps_cgi_answer *answer, struct rps_answer *out, const char **why)
{
	char *text = answer->text, *end = answer->text + answer->size;
	struct head head = {0};
	int is_first = 1, rc;

	out->status = 200;
	out->body_bytes = -1;
	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text)), *space;
		size_t size = (size_t)(newline - text);

		if (size && text[size - 1] == '\r')
			size--;
		if (!size)
			break;
		while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
			size--;
		text[size] = 0;
		space = strchr(text, ' ');
		/* Some programs begin with a status line, as if they were servers. */
		if (is_first && size > 5 && !memcmp(text, "HTTP/", 5) && space) {
			*why = "its status line has no status";
			rc = parse_status(space + 1, &out->status);
			head.has_status = 1;
		} else {
			rc = parse_line(text, size, out, &head, why);
		}
		if (rc)
			return rc;
		is_first = 0;
		text = newline + 1;
	}
	if (head.has_location && !head.has_status)
		out->status = 302;
	return 0;
}
