/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses to names and lines, through ELF symbols and DWARF (elfutils' libdwfl).
 * Only for what the plugin's records don't say: the line a call was really made from, and
 * functions of code built without the plugin. Not thread-safe: the collector's lock guards it.
 */
#ifndef RPS_COLLECT_SYMBOLS_H
#define RPS_COLLECT_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct rps_symbols;

struct rps_line {
	const char *file; /* absolute as far as known, "" unknown; lives as long as the symbols */
	uint32_t line;    /* 0 unknown */
};

struct rps_symbols *rps_symbols_create(void);
void rps_symbols_destroy(struct rps_symbols *symbols);

/* The line of the instruction at ELF virtual address `address` in the file `path`. A build id (may be of size 0) that
 * differs from the file's means the file was rebuilt since: nothing is known then. Answers are remembered. */
struct rps_line rps_symbols_line(struct rps_symbols *symbols, const char *path, const uint8_t *build_id,
				 size_t build_id_size, uint64_t address);

/* The assembler name of the function at `address`; "" unknown. The string lives as long as the symbols. */
const char *rps_symbols_function(struct rps_symbols *symbols, const char *path, const uint8_t *build_id,
				 size_t build_id_size, uint64_t address);

/* The printable name for an assembler name, malloc'ed: demangled if it is C++'s. NULL when out of memory. */
char *rps_symbols_demangle(const char *symbol);

#endif
