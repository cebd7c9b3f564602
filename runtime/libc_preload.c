/* SPDX-License-Identifier: MIT */
/* Functions of the libc under their own names, in the shared runtime. Where an application restricts itself: limits that
 * were meant for it must not count what the runtime has mapped, and processes made behind the libc's back are to be profiled, too. And where
 * chance comes in: whether a request's first bytes are there when its connection is accepted.
 */
#include "runtime/pool.h"
#include "runtime/stacks.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	long (*syscall)(long number, ...);
	int (*clone)(int (*run)(void *), void *stack, int flags, void *arg, ...);
	pid_t (*_Fork)(void);
	int (*pthread_attr_setstacksize)(pthread_attr_t *attributes, size_t size);
	int (*pthread_attr_setstack)(pthread_attr_t *attributes, void *stack, size_t size);
} real;

/* Also called by a function that comes before this constructor. */
static __attribute__((constructor(101))) void find_real_functions(void)
{
	if (real.syscall != NULL)
		return;
#define FIND(name) *(void **)&real.name = dlsym(RTLD_NEXT, #name)
	FIND(clone);
	FIND(_Fork);
	FIND(pthread_attr_setstacksize);
	FIND(pthread_attr_setstack);
	FIND(syscall);
#undef FIND
}

/* ---- Limits ---------------------------------------------------------------------------- */

static rlim_t with_pool(rlim_t limit, rlim_t most)
{
	rlim_t pool = (rlim_t)rps_pool_mapped_bytes();

	if (limit == RLIM_INFINITY || pool == 0)
		return limit;
	return limit > most || most - limit < pool ? most : limit + pool;
}

static rlim_t without_pool(rlim_t limit)
{
	rlim_t pool = (rlim_t)rps_pool_mapped_bytes();

	return limit == RLIM_INFINITY || limit < pool ? limit : limit - pool;
}

/* The process the application means by 0, or its own number. */
static int set_and_get(pid_t pid, int resource, const struct rlimit *new_limit, struct rlimit *old_limit)
{
	int is_ours = resource == RLIMIT_AS && (pid == 0 || (uint32_t)pid == rps_process.here.pid);
	struct rlimit now, adjusted;

	if (is_ours && new_limit != NULL) {
		if (syscall(SYS_prlimit64, pid, resource, (const struct rlimit *)NULL, &now) != 0)
			return -1;
		/* More than it may have anyway: let the kernel say so. */
		if (new_limit->rlim_max <= now.rlim_max && new_limit->rlim_cur <= new_limit->rlim_max) {
			adjusted.rlim_max = with_pool(new_limit->rlim_max, now.rlim_max);
			adjusted.rlim_cur = with_pool(new_limit->rlim_cur, adjusted.rlim_max);
			new_limit = &adjusted;
		}
	}
	if (syscall(SYS_prlimit64, pid, resource, new_limit, old_limit) != 0)
		return -1;
	if (is_ours && old_limit != NULL) {
		old_limit->rlim_cur = without_pool(old_limit->rlim_cur);
		old_limit->rlim_max = without_pool(old_limit->rlim_max);
	}
	return 0;
}

/* On 64 bits, what has a 64 in its name is the same. */
_Static_assert(sizeof(rlim_t) == 8, "prlimit64 takes them");

#define SAME_AS(name) RPS_EXPORT __attribute__((alias(#name)))

RPS_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return set_and_get(0, (int)resource, limit, NULL);
}

RPS_EXPORT int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	return set_and_get(0, (int)resource, NULL, limit);
}

RPS_EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *new_limit, struct rlimit *old_limit)
{
	return set_and_get(pid, (int)resource, new_limit, old_limit);
}

SAME_AS(setrlimit) int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit);
SAME_AS(getrlimit) int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit);
SAME_AS(prlimit) int prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *new_limit, struct rlimit64 *old_limit);

RPS_EXPORT int mlockall(int flags)
{
	rps_pool_close_free_arenas();
	return (int)syscall(SYS_mlockall, flags);
}

/* ---- Threads' stacks ------------------------------------------------------------------------- */

RPS_EXPORT int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size)
{
	find_real_functions();
	rps_stacks_note_size(size);
	return real.pthread_attr_setstacksize(attributes, size);
}

RPS_EXPORT int pthread_attr_setstack(pthread_attr_t *attributes, void *stack, size_t size)
{
	find_real_functions();
	rps_stacks_note_size(size);
	return real.pthread_attr_setstack(attributes, stack, size);
}

/* ---- Sockets ------------------------------------------------------------------------------- */

/* In application scope an accept that comes before the first bytes makes one turn more of the application's event loop. After a second
 * the kernel gives the application a silent connection, too. */
RPS_EXPORT int listen(int fd, int backlog)
{
	int one = 1, saved_errno = errno;

	if (rps_pool != NULL && rps_pool->defer_accept)
		setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &one, sizeof(one)); /* not a TCP socket: no matter */
	errno = saved_errno;
	return (int)syscall(SYS_listen, fd, backlog);
}

/* ---- Processes the libc does not know of ---------------------------------------------------- */

/* The kernel has emptied the page (thread.h), and nobody has noticed. */
static void notice_fork(void)
{
	if (rps_process.here.pid == 0 && rps_pool_mapped_bytes() != 0)
		rps_pool_after_fork();
}

RPS_EXPORT long syscall(long number, ...)
{
	long arguments[6], result;
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(ap, long);
	va_end(ap);
	find_real_functions();
	result = real.syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
	if (result == 0)
		notice_fork();
	return result;
}

RPS_EXPORT pid_t _Fork(void)
{
	pid_t pid;

	find_real_functions();
	if (real._Fork == NULL) { /* glibc before 2.34 */
		errno = ENOSYS;
		return -1;
	}
	pid = real._Fork();
	if (pid == 0)
		notice_fork();
	return pid;
}

struct child {
	int (*run)(void *);
	void *arg;
};

static int run_child(void *arg)
{
	const struct child child = *(const struct child *)arg;

	notice_fork();
	return child.run(child.arg);
}

/* Without the parent's memory the child has a copy of it, `child` included. */
RPS_EXPORT int clone(int (*run)(void *), void *stack, int flags, void *arg, ...)
{
	struct child child = {run, arg};
	pid_t *parent_tid, *child_tid;
	void *tls;
	va_list ap;

	va_start(ap, arg);
	parent_tid = va_arg(ap, pid_t *);
	tls = va_arg(ap, void *);
	child_tid = va_arg(ap, pid_t *);
	va_end(ap);
	find_real_functions();
	if (flags & CLONE_VM)
		return real.clone(run, stack, flags, arg, parent_tid, tls, child_tid);
	return real.clone(run_child, stack, flags, &child, parent_tid, tls, child_tid);
}
