/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines to the person at the terminal, on stderr as Django's are: "say" for
 * what the server tells of its own accord, "complain" for trouble, which
 * starts with the program's name. Any thread; a line is one write, so lines of
 * several threads do not mix. */
#ifndef RPS_SERVER_MESSAGE_H
#define RPS_SERVER_MESSAGE_H

#include <stddef.h>

void rps_message_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void rps_message_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "SIGSEGV" for 11; "signal 77" for one that has no name. */
const char *rps_message_signal_name(int number, char *buffer, size_t size);

#endif
