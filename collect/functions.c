/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See functions.h. */
#include "collect/functions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct known_function {
	uint32_t id;
	struct rps_function function;
	UT_hash_handle hh;
};

struct known_string {
	uint32_t id;
	char *text;
	UT_hash_handle hh;
};

struct rps_functions {
	const struct rps_pool *pool;
	struct rps_symbols *symbols;
	struct known_function *functions;
	struct known_string *strings;
	pthread_mutex_t lock;
};

static const struct rps_function unknown_function = {"[unknown function]", "", "", "", 0};

struct rps_functions *rps_functions_create(const struct rps_pool *pool)
{
	struct rps_functions *functions = calloc(1, sizeof(*functions));

	if (functions == NULL)
		return NULL;
	functions->pool = pool;
	functions->symbols = rps_symbols_create();
	pthread_mutex_init(&functions->lock, NULL);
	if (functions->symbols != NULL)
		return functions;
	rps_functions_destroy(functions);
	return NULL;
}

void rps_functions_destroy(struct rps_functions *functions)
{
	struct known_function *function, *next_function;
	struct known_string *string, *next_string;

	if (functions == NULL)
		return;
	HASH_ITER(hh, functions->functions, function, next_function) {
		HASH_DEL(functions->functions, function);
		free((char *)(uintptr_t)function->function.name);
		free(function);
	}
	HASH_ITER(hh, functions->strings, string, next_string) {
		HASH_DEL(functions->strings, string);
		free(string->text);
		free(string);
	}
	rps_symbols_destroy(functions->symbols);
	pthread_mutex_destroy(&functions->lock);
	free(functions);
}

/* "" for 0 and for what can't be read. */
static const char *string_of(struct rps_functions *functions, uint32_t id)
{
	struct known_string *string;
	char *text;

	HASH_FIND(hh, functions->strings, &id, sizeof(id), string);
	if (string != NULL)
		return string->text;
	text = rps_pool_string(functions->pool, id);
	string = text != NULL ? calloc(1, sizeof(*string)) : NULL;
	if (string == NULL) {
		free(text);
		return "";
	}
	string->id = id;
	string->text = text;
	HASH_ADD(hh, functions->strings, id, sizeof(id), string);
	return string->text;
}

struct image {
	const char *path; /* "" unknown */
	struct rps_image_entry entry;
	size_t build_id_size;
};

static struct image image_of(struct rps_functions *functions, uint32_t id)
{
	struct image image = {.path = ""};

	if (rps_pool_entry(functions->pool, id, RPS_ENTRY_IMAGE, &image.entry, sizeof(image.entry)) < 0)
		return image;
	image.path = string_of(functions, image.entry.path);
	image.build_id_size = image.entry.build_id_size < RPS_BUILD_ID_MAX ? image.entry.build_id_size : RPS_BUILD_ID_MAX;
	return image;
}

/* Plain hooks gave an address only. */
static void describe_address(struct rps_functions *functions, const struct rps_function_entry *entry,
			     const struct image *image, struct rps_function *function)
{
	const uint8_t *build_id = image->entry.build_id;
	char address[32];
	struct rps_line line;

	function->symbol = rps_symbols_function(functions->symbols, image->path, build_id, image->build_id_size, entry->address);
	line = rps_symbols_line(functions->symbols, image->path, build_id, image->build_id_size, entry->address);
	function->file = line.file;
	function->line = line.line;
	snprintf(address, sizeof(address), "0x%llx", (unsigned long long)entry->address);
	function->name = function->symbol[0] != '\0' ? rps_symbols_demangle(function->symbol) : strdup(address);
	if (!entry->is_external)
		return;
	/* As where it is called directly: by name alone. */
	function->object = function->file = "";
	function->line = 0;
}

static const struct rps_function *learn(struct rps_functions *functions, uint32_t id)
{
	struct known_function *known;
	struct rps_function_entry entry;
	struct image image;

	if (rps_pool_entry(functions->pool, id, RPS_ENTRY_FUNCTION, &entry, sizeof(entry)) < 0)
		return &unknown_function;
	known = calloc(1, sizeof(*known));
	if (known == NULL)
		return &unknown_function;
	known->id = id;
	image = image_of(functions, entry.image);
	known->function.object = image.path;
	if (entry.address != 0) {
		describe_address(functions, &entry, &image, &known->function);
	} else {
		known->function.name = strdup(string_of(functions, entry.name));
		known->function.symbol = string_of(functions, entry.symbol);
		known->function.file = string_of(functions, entry.file);
		known->function.line = entry.line;
	}
	if (known->function.name == NULL) {
		free(known);
		return &unknown_function;
	}
	HASH_ADD(hh, functions->functions, id, sizeof(id), known);
	return &known->function;
}

const struct rps_function *rps_functions_get(struct rps_functions *functions, uint32_t id)
{
	const struct rps_function *function;
	struct known_function *known;

	pthread_mutex_lock(&functions->lock);
	HASH_FIND(hh, functions->functions, &id, sizeof(id), known);
	function = known != NULL ? &known->function : learn(functions, id);
	pthread_mutex_unlock(&functions->lock);
	return function;
}

struct rps_line rps_functions_site(struct rps_functions *functions, const struct rps_wire_edge *edge)
{
	struct rps_line line = {"", 0};
	struct image image;

	pthread_mutex_lock(&functions->lock);
	switch (edge->site_kind) {
	case RPS_SITE_LINE:
		line.file = string_of(functions, edge->site_file_or_image);
		line.line = (uint32_t)edge->site_line_or_address;
		break;
	case RPS_SITE_ADDRESS:
		/* The return address is behind the call; one less lies within it. */
		image = image_of(functions, edge->site_file_or_image);
		line = rps_symbols_line(functions->symbols, image.path, image.entry.build_id, image.build_id_size,
					edge->site_line_or_address - 1);
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&functions->lock);
	return line;
}
