/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See message.h. Called by every part of the server, from any of its threads. */
#include "server/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static void print_line(const char *prefix, const char *format, va_list arguments)
{
	char line[LINE_MAX_BYTES];
	size_t used = strlen(prefix), left;
	int saved_errno = errno, n;

	memcpy(line, prefix, used);
	left = sizeof(line) - used - 1;
	n = vsnprintf(line + used, left, format, arguments);
	if (n > 0)
		used += (size_t)n < left ? (size_t)n : left - 1;
	line[used++] = '\n';
	/* A terminal that has gone away must not stop the server. */
	if (write(STDERR_FILENO, line, used) < 0)
		errno = saved_errno;
	errno = saved_errno;
}

void rps_message_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("", format, arguments);
	va_end(arguments);
}

void rps_message_complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("runprofileserver: ", format, arguments);
	va_end(arguments);
}

const char *rps_message_signal_name(int number, char *buffer, size_t size)
{
	const char *name = sigabbrev_np(number);

	if (name)
		snprintf(buffer, size, "SIG%s", name);
	else
		snprintf(buffer, size, "signal %d", number);
	return buffer;
}
