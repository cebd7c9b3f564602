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
 *   outside left N unmatched N undone N            external calls left without exit, exits that found none,
 * and calls that turned out to be of an instrumented function plain COUNT calls of the plain hooks
 *
 * Functions that are only called have the symbol's name, those called by a pointer what the dynamic linker
 * calls them, and neither a file nor a line.
 *
 * Blanks in names are written as '~'. Not for several threads at once: one lock around all.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct function_record {
	const char *name, *symbol, *file;
	uint32_t line, id;
	const void *address;
	uint32_t hash, reserved;
};

struct external_record {
	const char *name, *symbol;
	uint32_t id, is_instrumented;
};

struct site_record {
	const char *file;
	uint32_t line, hash;
};

void __runprofile_enter_v2(struct function_record *function, void *cfa, const struct site_record *site);
void __runprofile_exit_v2(struct function_record *function, void *cfa);
void __runprofile_resync_v2(struct function_record *function, void *cfa);
void __runprofile_external_enter_v2(struct external_record *callee, void *cfa,
				    const struct site_record *site);
void __runprofile_external_exit_v2(struct external_record *callee, void *cfa);
void __runprofile_pointer_enter_v2(void *callee, void *cfa, const struct site_record *site);
void __runprofile_pointer_exit_v2(void *callee, void *cfa);
void __runprofile_landed_v2(void *cfa);
void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

struct frame {
	struct function_record *function;
	void *cfa;
	struct external_record *external; /* of a direct call */
	const void *pointer;              /* of a call by a pointer */
	struct edge *edge;
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
static unsigned long n_unmatched, n_recovered, n_plain, n_outside_left, n_outside_unmatched, n_undone;

/* What stands for functions that have no record of their own. */
#define N_OUTSIDE 4096
static struct function_record outside[N_OUTSIDE];
static const void *outside_pointer[N_OUTSIDE];
static size_t n_outside;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int is_outside(const struct frame *frame)
{
	return frame->external || frame->pointer;
}

/* A hook called from the frame at `cfa`: what that frame called is over, with an exit or without. */
static void pop_outside(const void *cfa)
{
	while (depth && is_outside(&frames[depth - 1]) && (char *)frames[depth - 1].cfa <= (char *)cfa) {
		depth--;
		n_outside_left++;
	}
}

static void pop_below(const void *cfa, int also_equal)
{
	pop_outside(cfa);
	while (depth && ((char *)frames[depth - 1].cfa < (char *)cfa ||
			 (also_equal && frames[depth - 1].cfa == cfa))) {
		depth--;
		n_recovered++;
		pop_outside(cfa);
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

static struct function_record *outside_find(const char *name, const char *symbol, const void *pointer)
{
	size_t i;

	for (i = 0; i < n_outside; i++) {
		if (outside_pointer[i] == pointer && (pointer || strcmp(outside[i].symbol, symbol) == 0))
			return &outside[i];
	}
	if (n_outside == N_OUTSIDE)
		abort();
	outside_pointer[n_outside] = pointer;
	outside[n_outside] = (struct function_record){name, symbol, "", 0, 0, pointer, 0, 0};
	return &outside[n_outside++];
}

static struct edge *push(struct frame frame, const struct site_record *site, const char *return_address)
{
	struct edge *edge;

	if (!frames)
		frames = malloc(N_FRAMES * sizeof *frames);
	if (!frames || depth == N_FRAMES)
		abort();
	edge = edge_find(depth ? frames[depth - 1].function : NULL, frame.function, site, return_address);
	edge->count++;
	frame.edge = edge;
	frames[depth++] = frame;
	return edge;
}

/* The function on top was called from outside of what is instrumented, so it seemed; it is instrumented
 * itself. */
static void undo_outside(const struct function_record *function)
{
	struct frame *top = depth ? &frames[depth - 1] : NULL;

	if (!top || !((top->external && strcmp(top->external->symbol, function->symbol) == 0) ||
		      (top->pointer && top->pointer == function->address)))
		return;
	if (top->external)
		top->external->is_instrumented = 1;
	top->edge->count--;
	n_undone++;
	depth--;
}

void __runprofile_enter_v2(struct function_record *function, void *cfa, const struct site_record *site)
{
	pthread_mutex_lock(&lock);
	if (site)
		pop_below(cfa, 0);
	else
		pop_below(cfa, 1);
	if (!site)
		undo_outside(function);
	push((struct frame){.function = function, .cfa = cfa}, site, site ? NULL : ((const char **)cfa)[-1]);
	pthread_mutex_unlock(&lock);
}

void __runprofile_external_enter_v2(struct external_record *callee, void *cfa, const struct site_record *site)
{
	pthread_mutex_lock(&lock);
	pop_below(cfa, 0);
	if (!callee->is_instrumented)
		push((struct frame){.function = outside_find(callee->name, callee->symbol, NULL),
				    .cfa = cfa,
				    .external = callee},
		     site, NULL);
	pthread_mutex_unlock(&lock);
}

void __runprofile_pointer_enter_v2(void *callee, void *cfa, const struct site_record *site)
{
	pthread_mutex_lock(&lock);
	pop_below(cfa, 0);
	push((struct frame){.function = outside_find("*", "*", callee), .cfa = cfa, .pointer = callee}, site,
	     NULL);
	pthread_mutex_unlock(&lock);
}

void __runprofile_landed_v2(void *cfa)
{
	pthread_mutex_lock(&lock);
	pop_below(cfa, 0);
	pthread_mutex_unlock(&lock);
}

/* A frame that was undone has no exit any more; one whose exit is missing lies on top of the one that is
 * looked for. */
static void exit_outside(const struct external_record *external, const void *pointer, void *cfa)
{
	size_t d;

	pthread_mutex_lock(&lock);
	for (d = depth; d && (char *)frames[d - 1].cfa < (char *)cfa; d--)
		;
	if (d && frames[d - 1].cfa == cfa && frames[d - 1].external == external &&
	    frames[d - 1].pointer == pointer) {
		n_recovered += depth - d;
		depth = d - 1;
	} else {
		n_outside_unmatched++;
	}
	pthread_mutex_unlock(&lock);
}

void __runprofile_external_exit_v2(struct external_record *callee, void *cfa)
{
	exit_outside(callee, NULL, cfa);
}

void __runprofile_pointer_exit_v2(void *callee, void *cfa)
{
	exit_outside(NULL, callee, cfa);
}

void __runprofile_exit_v2(struct function_record *function, void *cfa)
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

void __runprofile_resync_v2(struct function_record *function, void *cfa)
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

/* ---- Inlined hooks: their fast paths find nothing to record into, so all of them come here, through runtime/veneer.S ---- */

#ifdef __x86_64__
static uint64_t idle_arena[32];
/* arena, token (not the idle arena's, 0), and a leaf function that seems to be timed: so that its exit comes here, too */
__thread struct {
	void *arena;
	uint64_t token;
	uint32_t is_leaf_timed;
	uint32_t rest[16];
} __runprofile_thread_v2 = {idle_arena, UINT64_MAX, 1, {0}};
void *__runprofile_process_v2 = idle_arena;
__attribute__((visibility("hidden"))) int rps_veneer_has_xsave; /* what it saves is enough for these tests' programs */

struct veneered {
	struct function_record *function;
	void *cfa;
	const struct site_record *site;
};
void rps_veneer_call(void (*work)(void *), void *cls);

static void enter(void *cls)
{
	struct veneered *hook = cls;

	__runprofile_enter_v2(hook->function, hook->cfa, hook->site);
}

static void leave(void *cls)
{
	struct veneered *hook = cls;

	__runprofile_exit_v2(hook->function, hook->cfa);
}

static void external_enter(void *cls)
{
	struct veneered *hook = cls;

	__runprofile_external_enter_v2((struct external_record *)hook->function, hook->cfa, hook->site);
}

static void external_leave(void *cls)
{
	struct veneered *hook = cls;

	__runprofile_external_exit_v2((struct external_record *)hook->function, hook->cfa);
}

#define VENEERED __attribute__((target("general-regs-only"), visibility("hidden")))
#define ENTER(name)                                                                                                  \
	VENEERED void name(struct function_record *function, void *cfa, const struct site_record *site);             \
	VENEERED void name(struct function_record *function, void *cfa, const struct site_record *site)
#define EXIT(name)                                                                                                   \
	VENEERED void name(struct function_record *function, void *cfa);                                             \
	VENEERED void name(struct function_record *function, void *cfa)

ENTER(rps_hook_enter)
{
	struct veneered hook = {function, cfa, NULL};

	(void)site;
	rps_veneer_call(enter, &hook);
}
ENTER(rps_hook_leaf_enter)
{
	struct veneered hook = {function, cfa, NULL};

	(void)site;
	rps_veneer_call(enter, &hook);
}
ENTER(rps_hook_enter_inlined)
{
	struct veneered hook = {function, cfa, site};

	rps_veneer_call(enter, &hook);
}
ENTER(rps_hook_leaf_enter_inlined)
{
	struct veneered hook = {function, cfa, site};

	rps_veneer_call(enter, &hook);
}
ENTER(rps_hook_external_enter)
{
	struct veneered hook = {function, cfa, site};

	rps_veneer_call(external_enter, &hook);
}
EXIT(rps_hook_external_exit)
{
	struct veneered hook = {function, cfa, NULL};

	rps_veneer_call(external_leave, &hook);
}
EXIT(rps_hook_exit)
{
	struct veneered hook = {function, cfa, NULL};

	rps_veneer_call(leave, &hook);
}
EXIT(rps_hook_leaf_exit)
{
	struct veneered hook = {function, cfa, NULL};

	rps_veneer_call(leave, &hook);
}
#endif

/* ---- At the end --------------------------------------------------------------------------------------- */

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
	const char *name = function ? function->name : "-";
	Dl_info info;

	if (strcmp(name, "*") == 0 && dladdr(function->address, &info) && info.dli_sname)
		name = info.dli_sname;
	fputs(before, out);
	for (const char *p = name; *p; p++)
		fputc(*p == ' ' ? '~' : *p, out);
}

/* Several units may have a record of one function. All that is called by a pointer looks alike, but for its address. */
static int is_same_function(const struct function_record *a, const struct function_record *b)
{
	return strcmp(a->symbol, b->symbol) == 0 && strcmp(a->file, b->file) == 0 && a->line == b->line &&
	       (strcmp(a->name, "*") != 0 || a->address == b->address);
}

static void write_functions(FILE *out)
{
	for (size_t i = 0; i < N_EDGES; i++) {
		struct function_record *f = edges[i].callee;
		unsigned long count = 0;

		if (!f)
			continue;
		for (size_t k = 0; k < N_EDGES; k++) {
			if (edges[k].callee && is_same_function(edges[k].callee, f)) {
				count += edges[k].count;
				if (k < i)
					f = NULL;
			}
			if (!f)
				break;
		}
		if (!f)
			continue;
		if (count == 0)
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

		if (!e->callee || e->count == 0)
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
	fprintf(out, "balance unmatched %lu recovered %lu open %zu\n", n_unmatched, n_recovered, depth);
	fprintf(out, "outside left %lu unmatched %lu undone %lu\n", n_outside_left, n_outside_unmatched,
		n_undone);
	fprintf(out, "plain %lu\n", n_plain);
	fclose(out);
}
