/* SPDX-License-Identifier: MIT */
/* librunprofile_alloc.so: malloc and its kind under their own names, preloaded behind the runtime when allocations are to be counted,
 * and only then: otherwise a call of malloc() costs what it always did. Counts each call that gets memory, and the bytes
 * that were asked for (of realloc the whole new size), whoever makes it: instrumented code, the libc, other libraries, operator new.
 *
 * The real functions are those that come next: the libc's, or those of a malloc library. Where the program itself has a malloc(), nobody
 * calls ours; that is found out, and said. free() needs no counting, so it is not touched. Everything here may run in any thread, before
 * all constructors, and in a signal handler as far as malloc may.
 */
#include "runtime/counters.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define NO_RUNTIME __attribute__((weak))
extern NO_RUNTIME __typeof__(__runprofile_allocated_v3) __runprofile_allocated_v3;
extern NO_RUNTIME __typeof__(__runprofile_allocations_v3) __runprofile_allocations_v3;

static struct {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *old, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	int (*posix_memalign)(void **result, size_t alignment, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void *(*valloc)(size_t size);
	void *(*pvalloc)(size_t size);
} real;

/* How deep this thread is in functions of ours: an allocator that is made of others calls them by their names, too. */
static __thread unsigned int depth __attribute__((tls_model("initial-exec")));
/* Volatile: the compiler knows that strdup() does not change it. */
static __thread volatile unsigned int n_seen __attribute__((tls_model("initial-exec")));

/* dlsym() allocates only to report an error, and there is none; if it does all the same, that allocation fails (begin() below). Two threads at
 * once find the same. */
static void find_real_functions(void)
{
#define FIND(name) *(void **)&real.name = dlsym(RTLD_NEXT, #name)
	FIND(calloc);
	FIND(realloc);
	FIND(aligned_alloc);
	FIND(posix_memalign);
	FIND(memalign);
	FIND(valloc);
	FIND(pvalloc);
	FIND(malloc);
#undef FIND
}

/* 0: there is no telling what the real functions are. */
static inline int begin(const void *real_function)
{
	if (rps_unlikely(real_function == NULL)) {
		if (depth > 0)
			return 0;
		depth++;
		find_real_functions();
		depth--;
	}
	depth++;
	return 1;
}

static inline void *end(void *result, size_t size)
{
	depth--;
	n_seen++;
	if (result != NULL && depth == 0 && __runprofile_allocated_v3 != NULL)
		__runprofile_allocated_v3(size);
	return result;
}

static void *none(void)
{
	errno = ENOMEM;
	return NULL;
}

RPS_EXPORT void *malloc(size_t size)
{
	return begin((void *)real.malloc) ? end(real.malloc(size), size) : none();
}

RPS_EXPORT void *calloc(size_t n, size_t size)
{
	/* Where the product is too large there is no result. */
	return begin((void *)real.calloc) ? end(real.calloc(n, size), n * size) : none();
}

RPS_EXPORT void *realloc(void *old, size_t size)
{
	return begin((void *)real.realloc) ? end(real.realloc(old, size), size) : none();
}

RPS_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return begin((void *)real.aligned_alloc) ? end(real.aligned_alloc(alignment, size), size) : none();
}

RPS_EXPORT void *memalign(size_t alignment, size_t size)
{
	return begin((void *)real.memalign) ? end(real.memalign(alignment, size), size) : none();
}

RPS_EXPORT void *valloc(size_t size)
{
	return begin((void *)real.valloc) ? end(real.valloc(size), size) : none();
}

RPS_EXPORT void *pvalloc(size_t size)
{
	return begin((void *)real.pvalloc) ? end(real.pvalloc(size), size) : none();
}

RPS_EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
	int error;

	if (!begin((void *)real.posix_memalign))
		return ENOMEM;
	error = real.posix_memalign(result, alignment, size);
	end(error == 0 ? *result : NULL, size);
	return error;
}

/* Does what the libc allocates come by here? */
static __attribute__((constructor(101))) void tell_runtime(void)
{
	unsigned int before = n_seen;
	char *volatile text = strdup("a libc function that allocates");

	free(text);
	if (__runprofile_allocations_v3 != NULL)
		__runprofile_allocations_v3(n_seen != before ? RPS_ALLOCATIONS_COUNTED : RPS_ALLOCATIONS_OWN);
}
