/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See symbols.h. One Dwfl per image, opened when first asked for, and kept. An image is known
 * by path and build id, so that a rebuilt application gets a new one.
 */
#include "collect/symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define BUILD_ID_MAX 20
#define KEY_MAX 4200

/* From libstdc++; the function is part of the C++ ABI (itanium-cxx-abi, 3.4). */
extern char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

struct answer {
	uint64_t address; /* key */
	struct rps_line line;
	UT_hash_handle hh;
};

/* Code addresses of one compilation unit: from its own ranges, since clang writes no .debug_aranges, which libdwfl relies on. */
struct unit_range {
	uint64_t start, end; /* as libdwfl counts */
	Dwarf_Die unit;
	Dwarf_Addr bias;
};

struct image {
	char *key; /* path, NUL, build id in hex */
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: nothing is known of it */
	GElf_Addr bias;
	struct unit_range *ranges; /* sorted; made when first needed */
	size_t n_ranges;
	int has_ranges;
	struct answer *answers;
	UT_hash_handle hh;
};

struct interned {
	char *text;
	UT_hash_handle hh;
};

struct rps_symbols {
	struct image *images;
	struct interned *strings; /* file names, shared between answers */
};

/* Separate debug files of this machine only: asking a debuginfod server would hold up a request. */
static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_build_id_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

struct rps_symbols *rps_symbols_create(void)
{
	return calloc(1, sizeof(struct rps_symbols));
}

void rps_symbols_destroy(struct rps_symbols *symbols)
{
	struct image *image, *next_image;
	struct interned *string, *next_string;

	if (symbols == NULL)
		return;
	HASH_ITER(hh, symbols->images, image, next_image) {
		struct answer *answer, *next_answer;

		/* cppcheck-suppress uninitvar ; calloc'ed, it does not see through HASH_ADD */
		HASH_ITER(hh, image->answers, answer, next_answer) {
			HASH_DEL(image->answers, answer);
			free(answer);
		}
		HASH_DEL(symbols->images, image);
		if (image->dwfl != NULL)
			dwfl_end(image->dwfl);
		free(image->ranges);
		free(image->key);
		free(image);
	}
	HASH_ITER(hh, symbols->strings, string, next_string) {
		HASH_DEL(symbols->strings, string);
		free(string->text);
		free(string);
	}
	free(symbols);
}

static const char *intern(struct rps_symbols *symbols, const char *text)
{
	struct interned *string;

	HASH_FIND_STR(symbols->strings, text, string);
	if (string != NULL)
		return string->text;
	string = calloc(1, sizeof(*string));
	if (string == NULL || (string->text = strdup(text)) == NULL) {
		free(string);
		return "";
	}
	HASH_ADD_KEYPTR(hh, symbols->strings, string->text, strlen(string->text), string);
	return string->text;
}

/* ---- Images ------------------------------------------------------------------------ */

static int same_build(Dwfl_Module *module, const uint8_t *build_id, size_t build_id_size)
{
	const unsigned char *found;
	GElf_Addr address;
	int size = dwfl_module_build_id(module, &found, &address);

	return build_id_size == 0 || size <= 0 ||
	       ((size_t)size == build_id_size && memcmp(found, build_id, build_id_size) == 0);
}

static void open_image(struct image *image, const char *path, const uint8_t *build_id, size_t build_id_size)
{
	Dwfl_Module *module;
	Dwarf_Addr dwarf_bias;

	image->dwfl = dwfl_begin(&callbacks);
	if (image->dwfl == NULL)
		return;
	dwfl_report_begin(image->dwfl);
	module = dwfl_report_offline(image->dwfl, "", path, -1);
	dwfl_report_end(image->dwfl, NULL, NULL);
	if (module == NULL || dwfl_module_getelf(module, &image->bias) == NULL ||
	    !same_build(module, build_id, build_id_size))
		return;
	dwfl_module_getdwarf(module, &dwarf_bias); /* looks for it now, so that its absence is found once */
	image->module = module;
}

static struct image *find_image(struct rps_symbols *symbols, const char *path, const uint8_t *build_id,
				size_t build_id_size)
{
	char key[KEY_MAX];
	struct image *image;
	int n = snprintf(key, sizeof(key), "%s|", path);

	if (n < 0 || (size_t)n + 2 * BUILD_ID_MAX >= sizeof(key))
		return NULL;
	for (size_t i = 0; i < build_id_size && i < BUILD_ID_MAX; i++)
		n += snprintf(key + n, 3, "%02x", build_id[i]);
	HASH_FIND_STR(symbols->images, key, image);
	if (image != NULL)
		return image;
	image = calloc(1, sizeof(*image));
	if (image == NULL || (image->key = strdup(key)) == NULL) {
		free(image);
		return NULL;
	}
	open_image(image, path, build_id, build_id_size);
	HASH_ADD_KEYPTR(hh, symbols->images, image->key, strlen(image->key), image);
	return image;
}

/* ---- Lines ---------------------------------------------------------------------------- */

static int add_range(struct image *image, const struct unit_range *range)
{
	struct unit_range *ranges;

	if (image->n_ranges % 256 == 0) {
		ranges = realloc(image->ranges, (image->n_ranges + 256) * sizeof(*ranges));
		if (ranges == NULL)
			return -1;
		image->ranges = ranges;
	}
	image->ranges[image->n_ranges++] = *range;
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct unit_range *first = a, *second = b;

	return first->start < second->start ? -1 : first->start > second->start;
}

static void read_ranges(struct image *image)
{
	struct unit_range range;
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;

	image->has_ranges = 1;
	while ((unit = dwfl_module_nextcu(image->module, unit, &bias)) != NULL) {
		Dwarf_Addr base, start, end;
		ptrdiff_t at = 0;

		range.unit = *unit;
		range.bias = bias;
		while ((at = dwarf_ranges(unit, at, &base, &start, &end)) > 0) {
			range.start = start + bias;
			range.end = end + bias;
			if (add_range(image, &range) != 0)
				break;
		}
	}
	if (image->n_ranges > 0)
		qsort(image->ranges, image->n_ranges, sizeof(*image->ranges), compare_ranges);
}

static struct unit_range *find_range(struct image *image, uint64_t address)
{
	size_t low = 0, high;

	if (!image->has_ranges)
		read_ranges(image);
	for (high = image->n_ranges; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (address < image->ranges[middle].start)
			high = middle;
		else if (address >= image->ranges[middle].end)
			low = middle + 1;
		else
			return &image->ranges[middle];
	}
	return NULL;
}

/* The line's file and number, and the directory that a relative file name is relative to. */
static const char *find_line(struct image *image, uint64_t address, int *number, const char **directory)
{
	Dwfl_Line *line = dwfl_module_getsrc(image->module, address);
	struct unit_range *range;
	Dwarf_Attribute attribute;
	Dwarf_Line *dwarf_line;

	if (line != NULL) {
		*directory = dwfl_line_comp_dir(line);
		return dwfl_lineinfo(line, NULL, number, NULL, NULL, NULL);
	}
	range = find_range(image, address);
	dwarf_line = range != NULL ? dwarf_getsrc_die(&range->unit, address - range->bias) : NULL;
	if (dwarf_line == NULL || dwarf_lineno(dwarf_line, number) != 0)
		return NULL;
	*directory = dwarf_formstring(dwarf_attr(&range->unit, DW_AT_comp_dir, &attribute));
	return dwarf_linesrc(dwarf_line, NULL, NULL);
}

/* Takes "." and ".." out, as the plugin does, so that both know a file by one name. In place; `path` is absolute. */
static void normalise(char *path)
{
	char *to = path, *from = path;

	while (*from != '\0') {
		size_t size = strcspn(from + 1, "/");

		if (size == 0 || (size == 1 && from[1] == '.')) {
			/* nothing */
		} else if (size == 2 && from[1] == '.' && from[2] == '.') {
			while (to > path && *--to != '/')
				;
		} else {
			memmove(to, from, size + 1);
			to += size + 1;
		}
		from += size + 1;
	}
	*to = '\0';
}

static struct rps_line look_up_line(struct rps_symbols *symbols, struct image *image, uint64_t address)
{
	struct rps_line result = {"", 0};
	char path[KEY_MAX];
	const char *directory = NULL, *file;
	int number = 0, n;

	file = find_line(image, address + image->bias, &number, &directory);
	if (file == NULL || number <= 0)
		return result;
	if (file[0] == '/')
		n = snprintf(path, sizeof(path), "%s", file);
	else
		n = snprintf(path, sizeof(path), "%s/%s", directory != NULL ? directory : "", file);
	/* A distribution's debug files may know relative directories only: no use to anyone. */
	if (n < 0 || (size_t)n >= sizeof(path) || path[0] != '/')
		return result;
	normalise(path);
	result.file = intern(symbols, path);
	result.line = (uint32_t)number;
	return result;
}

struct rps_line rps_symbols_line(struct rps_symbols *symbols, const char *path, const uint8_t *build_id,
				 size_t build_id_size, uint64_t address)
{
	static const struct rps_line unknown = {"", 0};
	struct image *image = find_image(symbols, path, build_id, build_id_size);
	struct answer *answer;

	if (image == NULL || image->module == NULL)
		return unknown;
	HASH_FIND(hh, image->answers, &address, sizeof(address), answer);
	if (answer != NULL)
		return answer->line;
	answer = calloc(1, sizeof(*answer));
	if (answer == NULL)
		return unknown;
	answer->address = address;
	answer->line = look_up_line(symbols, image, address);
	HASH_ADD(hh, image->answers, address, sizeof(address), answer);
	return answer->line;
}

/* ---- Names ------------------------------------------------------------------------------ */

const char *rps_symbols_function(struct rps_symbols *symbols, const char *path, const uint8_t *build_id,
				 size_t build_id_size, uint64_t address)
{
	struct image *image = find_image(symbols, path, build_id, build_id_size);
	const char *name;

	if (image == NULL || image->module == NULL)
		return "";
	name = dwfl_module_addrname(image->module, address + image->bias);
	return name != NULL ? intern(symbols, name) : "";
}

char *rps_symbols_demangle(const char *symbol)
{
	int status;
	char *name = symbol[0] == '_' && symbol[1] == 'Z' ? __cxa_demangle(symbol, NULL, NULL, &status) : NULL;

	return name != NULL ? name : strdup(symbol);
}
