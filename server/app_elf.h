/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of file the application is, as far as its ELF headers and symbol
 * tables tell. Main thread, before the application is started. */
#ifndef RPS_SERVER_APP_ELF_H
#define RPS_SERVER_APP_ELF_H

#include <stddef.h>

enum rps_app_kind {
	RPS_APP_PROGRAM = 1, /* an ELF program */
	RPS_APP_MODULE = 2,  /* a shared object without interpreter */
	RPS_APP_OTHER = 3,   /* not ELF: a script */
	RPS_APP_DIRECTORY = 4,
};

struct rps_app_elf {
	enum rps_app_kind kind;
	int is_whole;          /* all that its headers promise is in the file (scripts always are) */
	int is_instrumented;   /* calls our hooks or the compiler's, or holds function records */
	int is_of_profcc;      /* brings its own runtime: need not be preloaded */
	int needs_microhttpd;  /* linked with libmicrohttpd.so */
	int needs_fcgi;        /* linked with libfcgi, dynamically or not */
	int has_entry;         /* exports runprofile_app */
	int has_mangled_entry; /* has a C++ function of that name */
};

/* 0; or -errno if the file can't be read or is broken, with one line in `error`. */
int rps_app_elf_read(const char *path, struct rps_app_elf *app, char *error, size_t error_size);

#endif
