/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and inflates (input.h). Called by the readers of all formats, in tools and tests, on their thread. */
#include "profile/input.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define BUFFER_FIRST (64u << 10)
#define COMPRESSED_SIZE (32u << 10)
/* Profiles shrink to a tenth or a twentieth; zeros to a thousandth. */
#define BOMB_RATIO 200u
#define BOMB_SIZE (64u << 20)

struct rps_input {
	FILE *stream;
	const char *name;
	char *buffer; /* taken: [0, at); to be taken: [at, end) */
	size_t at, end, room;
	unsigned char *compressed; /* NULL: the stream is not gzip'd */
	z_stream inflater;
	bool is_inflating; /* within a member */
	bool has_nul;      /* somewhere: lines must be looked at */
	bool has_started, has_ended;
	uint64_t n_in, n_out; /* bytes */
	uint64_t line_number;
	int error; /* kept until the bytes before it are taken */
	const char *why;
};

struct rps_input *rps_input_create(FILE *stream, const char *name)
{
	struct rps_input *input = calloc(1, sizeof(*input));

	if (input == NULL)
		return NULL;
	input->stream = stream;
	input->name = name;
	input->why = "";
	input->room = BUFFER_FIRST;
	input->buffer = malloc(input->room);
	if (input->buffer == NULL) {
		free(input);
		return NULL;
	}
	return input;
}

void rps_input_destroy(struct rps_input *input)
{
	if (input == NULL)
		return;
	if (input->compressed != NULL)
		inflateEnd(&input->inflater);
	free(input->compressed);
	free(input->buffer);
	free(input);
}

static int fail(struct rps_input *input, int error, const char *why)
{
	input->has_ended = true;
	input->error = error;
	input->why = why;
	return error;
}

static size_t read_stream(struct rps_input *input, void *to, size_t size)
{
	size_t n;

	errno = 0;
	n = fread(to, 1, size, input->stream);
	if (n == 0 && ferror(input->stream)) {
		int error = errno != 0 ? errno : EIO;

		fail(input, -error, strerrordesc_np(error));
	}
	input->n_in += n;
	return n;
}

static int begin_inflating(struct rps_input *input, size_t n_read)
{
	input->compressed = malloc(COMPRESSED_SIZE);
	if (input->compressed == NULL || n_read > COMPRESSED_SIZE)
		return fail(input, -ENOMEM, "out of memory");
	if (inflateInit2(&input->inflater, 15 + 16) != Z_OK) {
		free(input->compressed);
		input->compressed = NULL;
		return fail(input, -ENOMEM, "out of memory");
	}
	memcpy(input->compressed, input->buffer, n_read);
	input->inflater.next_in = input->compressed;
	input->inflater.avail_in = (uInt)n_read;
	input->is_inflating = true;
	return 0;
}

/* Inflates into the buffer's free part. */
static void inflate_more(struct rps_input *input)
{
	z_stream *inflater = &input->inflater;
	size_t free_size = input->room - 1 - input->end;

	inflater->next_out = (Bytef *)input->buffer + input->end;
	inflater->avail_out = (uInt)free_size;
	while (inflater->avail_out == free_size && !input->has_ended) {
		int result;

		if (inflater->avail_in == 0) {
			inflater->next_in = input->compressed;
			inflater->avail_in = (uInt)read_stream(input, input->compressed, COMPRESSED_SIZE);
			if (input->error != 0)
				break;
			if (inflater->avail_in == 0) {
				if (input->is_inflating)
					fail(input, -EBADMSG, "the compressed file is cut off");
				input->has_ended = true;
				break;
			}
		}
		if (!input->is_inflating) {
			/* gzip members may follow one another. */
			inflateReset(inflater);
			input->is_inflating = true;
		}
		result = inflate(inflater, Z_NO_FLUSH);
		if (result == Z_STREAM_END)
			input->is_inflating = false;
		else if (result != Z_OK)
			fail(input, -EBADMSG, "the compressed file is damaged");
	}
	input->n_out += free_size - inflater->avail_out;
	input->end += free_size - inflater->avail_out;
	if (input->error == 0 && input->n_out > BOMB_SIZE && input->n_out / BOMB_RATIO > input->n_in)
		fail(input, -EBADMSG, "it inflates to more than any profile would");
}

static void read_more(struct rps_input *input)
{
	size_t n;

	if (input->has_ended)
		return;
	if (input->has_started && input->compressed != NULL) {
		inflate_more(input);
		return;
	}
	if (input->has_started) {
		n = read_stream(input, input->buffer + input->end, input->room - 1 - input->end);
		input->end += n;
		input->has_ended = n == 0;
		return;
	}
	input->has_started = true;
	n = read_stream(input, input->buffer, COMPRESSED_SIZE);
	if (n >= 2 && (unsigned char)input->buffer[0] == 0x1f && (unsigned char)input->buffer[1] == 0x8b) {
		if (begin_inflating(input, n) == 0)
			inflate_more(input);
		return;
	}
	input->end = n;
	input->has_ended = n == 0;
}

/* Reads more behind what is in the buffer, which has room for it. */
static void fill(struct rps_input *input)
{
	const size_t end = input->end;

	read_more(input);
	/* Once for all lines: there is hardly ever one. */
	if (!input->has_nul && input->end > end)
		input->has_nul = memchr(input->buffer + end, '\0', input->end - end) != NULL;
}

static int make_room(struct rps_input *input)
{
	char *grown;

	if (input->at > 0) {
		memmove(input->buffer, input->buffer + input->at, input->end - input->at);
		input->end -= input->at;
		input->at = 0;
	}
	if (input->room - input->end > input->room / 2)
		return 0;
	grown = realloc(input->buffer, input->room * 2);
	if (grown == NULL)
		return fail(input, -ENOMEM, "out of memory");
	input->buffer = grown;
	input->room *= 2;
	return 0;
}

const char *rps_input_peek(struct rps_input *input, size_t *size)
{
	while (input->end - input->at < RPS_INPUT_PEEK_MAX && !input->has_ended && make_room(input) == 0)
		fill(input);
	*size = input->end - input->at < RPS_INPUT_PEEK_MAX ? input->end - input->at : RPS_INPUT_PEEK_MAX;
	return input->buffer + input->at;
}

int rps_input_line(struct rps_input *input, char **line, size_t *size)
{
	size_t n_searched = 0;
	char *newline;

	for (;;) {
		newline =
		    memchr(input->buffer + input->at + n_searched, '\n', input->end - input->at - n_searched);
		if (newline != NULL)
			break;
		n_searched = input->end - input->at;
		if (input->has_ended) {
			if (n_searched > 0 || input->error != 0)
				input->line_number++;
			if (input->error != 0)
				return input->error;
			return n_searched == 0
				   ? 0
				   : fail(input, -EBADMSG, "the file is cut off in the middle of a line");
		}
		if (n_searched > RPS_INPUT_LINE_MAX) {
			input->line_number++;
			return fail(input, -EBADMSG, "the line is too long (more than a million bytes)");
		}
		if (make_room(input) != 0)
			return input->error;
		fill(input);
	}
	*line = input->buffer + input->at;
	*size = (size_t)(newline - *line);
	*newline = '\0';
	input->at += *size + 1;
	input->line_number++;
	if (input->has_nul && memchr(*line, '\0', *size) != NULL)
		return fail(input, -EBADMSG, "there is a NUL byte in the line");
	if (*size > 0 && (*line)[*size - 1] == '\r')
		(*line)[--*size] = '\0';
	return 1;
}

int rps_input_chunk(struct rps_input *input, const char **bytes, size_t *size)
{
	while (input->at == input->end && !input->has_ended) {
		input->at = input->end = 0;
		fill(input);
	}
	if (input->at == input->end)
		return input->error;
	*bytes = input->buffer + input->at;
	*size = input->end - input->at;
	input->at = input->end;
	return 1;
}

int rps_input_all(struct rps_input *input, size_t size_max, unsigned char **bytes, size_t *size)
{
	while (!input->has_ended) {
		if (input->end - input->at > size_max)
			return fail(input, -EFBIG, "the file is too large");
		if (make_room(input) != 0)
			return input->error;
		fill(input);
	}
	if (input->error != 0)
		return input->error;
	if (input->end - input->at > size_max)
		return fail(input, -EFBIG, "the file is too large");
	*size = input->end - input->at;
	memmove(input->buffer, input->buffer + input->at, *size);
	*bytes = (unsigned char *)input->buffer;
	input->buffer = NULL;
	input->room = input->at = input->end = 0;
	return 0;
}

const char *rps_input_why(const struct rps_input *input)
{
	return input->why;
}

const char *rps_input_name(const struct rps_input *input)
{
	return input->name;
}

uint64_t rps_input_line_number(const struct rps_input *input)
{
	return input->line_number;
}
