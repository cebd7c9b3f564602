/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See symbols.h. One Dwfl per image, opened when first asked for, and kept. An image is known
 * by path and build id, so that a rebuilt application gets a new one.
 */
#include "collect/symbols.h"

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

struct image {
	char *key; /* path, NUL, build id in hex */
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: nothing is known of it */
	GElf_Addr bias;
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

static struct rps_line look_up_line(struct rps_symbols *symbols, struct image *image, uint64_t address)
{
	struct rps_line result = {"", 0};
	Dwfl_Line *line = dwfl_module_getsrc(image->module, address + image->bias);
	char path[KEY_MAX];
	const char *file, *directory;
	int number = 0;

	if (line == NULL || (file = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL)) == NULL || number <= 0)
		return result;
	directory = dwfl_line_comp_dir(line);
	if (file[0] != '/' && directory != NULL && snprintf(path, sizeof(path), "%s/%s", directory, file) < (int)sizeof(path))
		file = path;
	result.file = intern(symbols, file);
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
