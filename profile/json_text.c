/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See json_text.h. */
#include "profile/json_text.h"

#include "profile/utf8.h"

#include <errno.h>
#include <stdlib.h>

int rps_json_put_text(const char *text, FILE *out)
{
	char *plain = rps_utf8_escape(text, RPS_UTF8_CONTROLS);

	if (plain == NULL)
		return -ENOMEM;
	putc_unlocked('"', out);
	for (const char *at = plain; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\') {
			putc_unlocked('\\', out);
			putc_unlocked(*at, out);
		} else if (*at == '<' || *at == '>' || *at == '&') {
			fprintf(out, "\\u%04x", (unsigned char)*at);
		} else {
			putc_unlocked(*at, out);
		}
	}
	putc_unlocked('"', out);
	free(plain);
	return 0;
}
