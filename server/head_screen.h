/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads what a client sends, byte for byte, beside libmicrohttpd, and finds what can be read in more ways
 * than one: folded lines, line feeds without carriage return, blanks before a colon, NUL, two lengths.
 * libmicrohttpd repairs some of these and takes others for something else (0.9.75 makes a folded line part of
 * the field's name), and hands out fields only; so this follows the bytes by itself, from head to body to the
 * next head. What it finds fault with is refused, and the connection is not used again. Pure; one thread at a
 * time. */
#ifndef RPS_SERVER_HEAD_SCREEN_H
#define RPS_SERVER_HEAD_SCREEN_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed to begin with. */
struct rps_head_screen {
	int state;
	unsigned n_heads; /* complete, and found right */
	int is_in_head;   /* at least one byte of the next has come */

	int fault_status; /* 0: none so far. Nothing is read after the first */
	const char *fault;

	/* Of the line, and of the head, that is being read. */
	char text[32]; /* start of a field's name, of its value, or of the version */
	size_t text_size;
	int field; /* what it is about */
	int is_trailer;
	unsigned n_hosts, n_lengths, n_codings;
	int is_1_0;
	uint64_t left; /* of the body, or of a chunk of it */
	unsigned n_digits;
};

void rps_head_screen_take(struct rps_head_screen *screen, const char *data, size_t size);

/* May the head number `head` (from 0) be believed, once it is complete? 0, or the status it is refused with,
 * and *why. */
int rps_head_screen_refuses(const struct rps_head_screen *screen, unsigned head, const char **why);

#endif
