/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See head_screen.h. Called by front_screen.c. The grammar is RFC 9112's; where that leaves a choice between
 * repair and refusal, it is refused.
 *
 *     METHOD ─▶ TARGET ─▶ VERSION ─▶ FIELD_START ⇄ NAME ─▶ VALUE
 *       ▲                              │ empty line
 *       │                              ▼
 *       └── BODY ◀──────────────── end of the head ──────▶ CHUNK_SIZE ⇄ CHUNK_DATA, then a trailer of fields
 */
#include "server/head_screen.h"

#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS_MAX 18
#define CHUNK_DIGITS_MAX 15

enum state {
	START = 0, /* empty lines may stand before a head */
	START_LF,
	METHOD,
	TARGET,
	VERSION,
	VERSION_LF,
	FIELD_START,
	NAME,
	VALUE,
	VALUE_LF,
	HEAD_LF, /* of the empty line */
	BODY,
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_LF,
	CHUNK_DATA,
	CHUNK_END,
	CHUNK_END_LF,
	LOST, /* nothing that comes can be believed */
};

enum field {
	OTHER = 0,
	HOST,
	CONTENT_LENGTH,
	TRANSFER_ENCODING,
};

static void find_fault(struct rps_head_screen *screen, int status, const char *fault)
{
	screen->state = LOST;
	screen->fault_status = status;
	screen->fault = fault;
}

static int is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Is it none of a line's content? A tab may stand in values. */
static int is_control(char c)
{
	return (c >= 0 && c < 0x20) || c == 0x7f;
}

static void keep(struct rps_head_screen *screen, char c)
{
	if (screen->text_size < sizeof(screen->text) - 1)
		screen->text[screen->text_size] = c;
	screen->text_size++;
}

static const char *kept(struct rps_head_screen *screen)
{
	size_t size = screen->text_size;

	screen->text[size < sizeof(screen->text) ? size : 0] = 0; /* too long to be anything that matters */
	return screen->text;
}

/* ---- Lines of a head ---------------------------------------------------------------------- */

static void begin_head(struct rps_head_screen *screen)
{
	screen->is_in_head = 1;
	screen->is_trailer = screen->is_1_0 = 0;
	screen->n_hosts = screen->n_lengths = screen->n_codings = 0;
	screen->left = 0;
	screen->text_size = 0;
	screen->state = METHOD;
}

static void end_version(struct rps_head_screen *screen)
{
	const char *version = kept(screen);

	if (strlen(version) != 8 || strncmp(version, "HTTP/", 5) || version[6] != '.') {
		find_fault(screen, 400, "Its first line is not one of HTTP.");
		return;
	}
	if (version[5] != '1') {
		find_fault(screen, 505, "Its version of HTTP is not spoken here.");
		return;
	}
	screen->is_1_0 = !strcmp(version, "HTTP/1.0");
	screen->state = VERSION_LF;
}

static void end_name(struct rps_head_screen *screen)
{
	const char *name = kept(screen);

	screen->field = OTHER;
	if (!*name && !screen->text_size)
		find_fault(screen, 400, "A header field has no name.");
	else if (screen->is_trailer)
		screen->state = VALUE;
	else if (!strcasecmp(name, "Host"))
		screen->field = HOST;
	else if (!strcasecmp(name, "Content-Length"))
		screen->field = CONTENT_LENGTH;
	else if (!strcasecmp(name, "Transfer-Encoding"))
		screen->field = TRANSFER_ENCODING;
	screen->text_size = 0;
	if (screen->state != LOST)
		screen->state = VALUE;
}

static void take_length(struct rps_head_screen *screen, const char *value)
{
	size_t size = strspn(value, "0123456789");

	if (!size || value[size] || size > LENGTH_DIGITS_MAX) {
		find_fault(screen, 400, "Its Content-Length is no number of bytes.");
		return;
	}
	screen->left = 0;
	for (const char *digit = value; *digit; digit++)
		screen->left = screen->left * 10 + (uint64_t)(*digit - '0');
	screen->n_lengths++;
}

static void end_value(struct rps_head_screen *screen)
{
	const char *value;

	while (screen->text_size && screen->text_size < sizeof(screen->text) &&
	       strchr(" \t", screen->text[screen->text_size - 1]))
		screen->text_size--;
	value = kept(screen);
	screen->state = VALUE_LF;
	switch ((enum field)screen->field) {
	case HOST:
		screen->n_hosts++;
		break;
	case CONTENT_LENGTH:
		take_length(screen, value);
		break;
	case TRANSFER_ENCODING:
		screen->n_codings++;
		if (strcasecmp(value, "chunked"))
			find_fault(screen, 501, "Its Transfer-Encoding is not known here.");
		break;
	case OTHER:
		break;
	}
}

static void end_head(struct rps_head_screen *screen)
{
	screen->state = START;
	if (screen->is_trailer)
		return;
	if (screen->n_hosts > 1 || (!screen->n_hosts && !screen->is_1_0)) {
		find_fault(screen, 400, screen->n_hosts ? "It has more than one Host." : "It has no Host.");
	} else if (screen->n_lengths > 1) {
		find_fault(screen, 400, "It has more than one Content-Length.");
	} else if (screen->n_codings > 1 || (screen->n_codings && screen->is_1_0)) {
		find_fault(screen, 400, "Its Transfer-Encoding can't be.");
	} else if (screen->n_codings && screen->n_lengths) {
		find_fault(screen, 400, "It has both a Content-Length and a Transfer-Encoding.");
	} else {
		screen->n_heads++;
		screen->is_in_head = 0;
		screen->n_digits = 0;
		if (screen->n_codings)
			screen->state = CHUNK_SIZE;
		else if (screen->left)
			screen->state = BODY;
	}
}

static void take_first_line(struct rps_head_screen *screen, char c)
{
	if (screen->state == VERSION && c == '\r') {
		end_version(screen);
	} else if (screen->state == METHOD && c == ' ' && screen->text_size) {
		screen->state = TARGET;
		screen->text_size = 0;
	} else if (screen->state == TARGET && c == ' ' && screen->text_size) {
		screen->state = VERSION;
		screen->text_size = 0;
	} else if ((screen->state == METHOD && !is_token(c)) || c == ' ' || is_control(c)) {
		find_fault(screen, 400, "Its first line is not one of HTTP.");
	} else {
		keep(screen, c);
	}
}

static void take_field(struct rps_head_screen *screen, char c)
{
	if (screen->state == FIELD_START && c == '\r') {
		screen->state = HEAD_LF;
		return;
	}
	if (screen->state == FIELD_START) {
		screen->state = NAME;
		screen->text_size = 0;
		if (c == ' ' || c == '\t') {
			find_fault(screen, 400, "A header line is folded.");
			return;
		}
	}
	if (screen->state == NAME) {
		if (c == ':')
			end_name(screen);
		else if (is_token(c))
			keep(screen, c);
		else
			find_fault(screen, 400,
				   c == ' ' || c == '\t'
				       ? "A blank stands in or behind the name of a header field."
				       : "A header line is none.");
		return;
	}
	if (c == '\r')
		end_value(screen);
	else if (is_control(c) && c != '\t')
		find_fault(screen, 400,
			   c == '\n' ? "A line ends in a line feed alone."
				     : "A control character stands in the value of a header field.");
	else if (screen->text_size || (c != ' ' && c != '\t'))
		keep(screen, c);
}

static void take_line_feed(struct rps_head_screen *screen, char c)
{
	if (c != '\n')
		find_fault(screen, 400, "A carriage return stands alone.");
	else if (screen->state == HEAD_LF)
		end_head(screen);
	else
		screen->state = screen->state == START_LF ? START : FIELD_START;
}

/* ---- Bodies ------------------------------------------------------------------------------------ */

static int digit(char c)
{
	const char *digits = "0123456789abcdef",
		   *found = c ? strchr(digits, c | (c >= 'A' ? 0x20 : 0)) : NULL;

	return found ? (int)(found - digits) : -1;
}

static void begin_chunk(struct rps_head_screen *screen)
{
	screen->n_digits = 0;
	if (screen->left) {
		screen->state = CHUNK_DATA;
		return;
	}
	screen->is_trailer = 1;
	screen->state = FIELD_START;
}

/* libmicrohttpd takes a line feed alone here, and takes the chunks apart before they are passed on: so it
 * does no harm. What comes behind the body is not believed then. */
static void take_chunk_mark(struct rps_head_screen *screen, char c)
{
	int is_right = 0;

	switch ((enum state)screen->state) {
	case CHUNK_SIZE:
		if (digit(c) >= 0 && screen->n_digits < CHUNK_DIGITS_MAX) {
			screen->left = (screen->n_digits ? screen->left << 4 : 0) | (unsigned)digit(c);
			screen->n_digits++;
			return;
		}
		is_right = screen->n_digits && (c == '\r' || c == ';' || c == ' ' || c == '\t');
		screen->state = c == '\r' ? CHUNK_LF : CHUNK_EXTENSION;
		break;
	case CHUNK_EXTENSION:
		is_right = c == '\r' || c == '\t' || !is_control(c);
		if (c == '\r')
			screen->state = CHUNK_LF;
		break;
	case CHUNK_LF:
		is_right = c == '\n';
		begin_chunk(screen);
		break;
	case CHUNK_END:
		is_right = c == '\r';
		screen->state = CHUNK_END_LF;
		break;
	default: /* CHUNK_END_LF */
		is_right = c == '\n';
		screen->state = CHUNK_SIZE;
		break;
	}
	if (!is_right)
		find_fault(screen, 400, "The body of the request before it is not divided into chunks.");
}

/* Returns how many bytes were the body's. */
static size_t skip_body(struct rps_head_screen *screen, size_t size)
{
	if (size > screen->left)
		size = (size_t)screen->left;
	screen->left -= size;
	if (!screen->left)
		screen->state = screen->state == BODY ? START : CHUNK_END;
	return size;
}

static void take_byte(struct rps_head_screen *screen, char c)
{
	switch ((enum state)screen->state) {
	case START:
		if (c == '\r') {
			screen->state = START_LF;
			return;
		}
		begin_head(screen);
		/* fall through */
	case METHOD:
	case TARGET:
	case VERSION:
		take_first_line(screen, c);
		return;
	case FIELD_START:
	case NAME:
	case VALUE:
		take_field(screen, c);
		return;
	case START_LF:
	case VERSION_LF:
	case VALUE_LF:
	case HEAD_LF:
		take_line_feed(screen, c);
		return;
	case CHUNK_SIZE:
	case CHUNK_EXTENSION:
	case CHUNK_LF:
	case CHUNK_END:
	case CHUNK_END_LF:
		take_chunk_mark(screen, c);
		return;
	case BODY:
	case CHUNK_DATA:
	case LOST:
		return;
	}
}

void rps_head_screen_take(struct rps_head_screen *screen, const char *data, size_t size)
{
	for (size_t i = 0; i < size && screen->state != LOST;) {
		if (screen->state == BODY || screen->state == CHUNK_DATA)
			i += skip_body(screen, size - i);
		else
			take_byte(screen, data[i++]);
	}
}

int rps_head_screen_refuses(const struct rps_head_screen *screen, unsigned head, const char **why)
{
	if (head < screen->n_heads)
		return 0;
	*why = screen->fault_status ? screen->fault : "It came where none was.";
	return screen->fault_status ? screen->fault_status : 400;
}
