/* SPDX-License-Identifier: MIT */
/* A runtime of the simplest kind, in the place of librunprofile, to test what
 * the plugin emits on its own: it counts the calls of each function and of each
 * call site, keeps a shadow stack by the rules in runtime/record.h, and at the
 * end writes what it saw to the file that PLUGIN_RECORDER names:
 *
 *   call NAME COUNT
 *   def NAME SYMBOL FILE:LINE
 *   edge CALLER -> CALLEE FILE:LINE COUNT          an inlined call
 *   edge CALLER -> CALLEE @MODULE 0xADDRESS COUNT  a physical one: the call instruction's last byte
 *   balance unmatched N recovered N open N         exits without enter, frames left without exit
 *   plain COUNT                                    calls of the plain hooks
 *
 * Blanks in names are written as '~'. Not for several threads at once: one lock around all.
 */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct function_record {
	const char *name, *symbol, *file;
	uint32_t line, id;
};

struct site_record {
	const char *file;
	uint32_t line, reserved;
};

void __runprofile_enter_v1(struct function_record *function, void *cfa, const struct site_record *site);
void __runprofile_exit_v1(struct function_record *function, void *cfa);
void __runprofile_resync_v1(struct function_record *function, void *cfa);
void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

struct frame {
	struct function_record *function;
	void *cfa;
};

struct edge {
	struct function_record *caller, *callee;
	const struct site_record *site;
	const char *return_address;
	unsigned long count;
};

#define N_FRAMES 1000000
#define N_EDGES (1 << 16)
static _Thread_local struct frame *frames;
static _Thread_local size_t depth;
static struct edge edges[N_EDGES];
static unsigned long n_unmatched, n_recovered, n_plain;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void pop_below(const void *cfa, int also_equal)
{
	while (depth && ((char *)frames[depth - 1].cfa < (char *)cfa ||
			 (also_equal && frames[depth - 1].cfa == cfa))) {
		depth--;
		n_recovered++;
	}
}

static struct edge *edge_find(struct function_record *caller, struct function_record *callee,
			      const struct site_record *site, const char *return_address)
{
	uintptr_t hash =
	    (uintptr_t)caller * 31 + (uintptr_t)callee * 17 + (uintptr_t)site + (uintptr_t)return_address;

	for (size_t i = (hash ^ hash >> 16) % N_EDGES;; i = (i + 1) % N_EDGES) {
		struct edge *e = &edges[i];

		if (!e->callee)
			*e = (struct edge){caller, callee, site, return_address, 0};
		if (e->caller == caller && e->callee == callee && e->site == site &&
		    e->return_address == return_address)
			return e;
	}
}

void __runprofile_enter_v1(struct function_record *function, void *cfa, const struct site_record *site)
{
	pthread_mutex_lock(&lock);
	if (!frames)
		frames = malloc(N_FRAMES * sizeof *frames);
	pop_below(cfa, site == NULL);
	edge_find(depth ? frames[depth - 1].function : NULL, function, site,
		  site ? NULL : ((const char **)cfa)[-1])
	    ->count++;
	if (!frames || depth == N_FRAMES)
		abort();
	frames[depth++] = (struct frame){function, cfa};
	pthread_mutex_unlock(&lock);
}

void __runprofile_exit_v1(struct function_record *function, void *cfa)
{
	size_t d;

	pthread_mutex_lock(&lock);
	pop_below(cfa, 0);
	for (d = depth; d && frames[d - 1].function != function; d--)
		;
	if (d) {
		n_recovered += depth - d;
		depth = d - 1;
	} else {
		n_unmatched++;
	}
	pthread_mutex_unlock(&lock);
}

void __runprofile_resync_v1(struct function_record *function, void *cfa)
{
	pthread_mutex_lock(&lock);
	pop_below(cfa, 0);
	while (depth && frames[depth - 1].cfa == cfa && frames[depth - 1].function != function) {
		depth--;
		n_recovered++;
	}
	pthread_mutex_unlock(&lock);
}

void __cyg_profile_func_enter(void *function, void *call_site)
{
	(void)function;
	(void)call_site;
	n_plain++;
}

void __cyg_profile_func_exit(void *function, void *call_site)
{
	(void)function;
	(void)call_site;
}

struct module {
	const char *address, *name;
	uintptr_t base;
};

static int find_module(struct dl_phdr_info *info, size_t size, void *data)
{
	struct module *m = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && (uintptr_t)m->address >= start &&
		    (uintptr_t)m->address - start < info->dlpi_phdr[i].p_memsz) {
			m->name = info->dlpi_name[0] ? info->dlpi_name : "main";
			m->base = info->dlpi_addr;
			return 1;
		}
	}
	return 0;
}

static void write_name(FILE *out, const char *before, const struct function_record *function)
{
	fputs(before, out);
	for (const char *p = function ? function->name : "-"; *p; p++)
		fputc(*p == ' ' ? '~' : *p, out);
}

static void write_functions(FILE *out)
{
	for (size_t i = 0; i < N_EDGES; i++) {
		struct function_record *f = edges[i].callee;
		unsigned long count = 0;

		if (!f)
			continue;
		for (size_t k = 0; k < N_EDGES; k++) {
			if (edges[k].callee && strcmp(edges[k].callee->symbol, f->symbol) == 0 &&
			    strcmp(edges[k].callee->file, f->file) == 0 && edges[k].callee->line == f->line) {
				count += edges[k].count;
				if (k < i)
					f = NULL;
			}
			if (!f)
				break;
		}
		if (!f)
			continue;
		write_name(out, "call ", f);
		fprintf(out, " %lu\n", count);
		write_name(out, "def ", f);
		fprintf(out, " %s %s:%u\n", f->symbol, f->file, f->line);
	}
}

static void write_edges(FILE *out)
{
	for (size_t i = 0; i < N_EDGES; i++) {
		struct edge *e = &edges[i];
		struct module module = {e->return_address ? e->return_address - 1 : NULL, "?", 0};

		if (!e->callee)
			continue;
		write_name(out, "edge ", e->caller);
		write_name(out, " -> ", e->callee);
		if (e->site) {
			fprintf(out, " %s:%u %lu\n", e->site->file, e->site->line, e->count);
			continue;
		}
		dl_iterate_phdr(find_module, &module);
		fprintf(out, " @%s %#lx %lu\n", module.name,
			(unsigned long)((uintptr_t)module.address - module.base), e->count);
	}
}

/* The last of the destructors: those of the program call hooks. */
__attribute__((destructor(101))) static void write_all(void)
{
	const char *path = getenv("PLUGIN_RECORDER");
	FILE *out = path ? fopen(path, "w") : NULL;

	if (!out)
		return;
	write_functions(out);
	write_edges(out);
	fprintf(out, "balance unmatched %lu recovered %lu open %zu\nplain %lu\n", n_unmatched, n_recovered,
		depth, n_plain);
	fclose(out);
}
