/* SPDX-License-Identifier: MIT */
/* See pool.h. Everything that needs a descriptor or the environment happens in
 * the constructor, before main: later the application may close descriptors, change root or user, or
 * drop its environment. Nothing stays open.
 */
#include "runtime/pool.h"

#include "runtime/calibrate.h"
#include "runtime/call_tree.h"
#include "runtime/clock.h"
#include "runtime/counters.h"
#include "runtime/environment.h"
#include "runtime/image.h"
#include "runtime/stacks.h"
#include "runtime/veneer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef RPS_HAVE_INLINE_HOOKS
#include <cpuid.h>
#endif

#define ATTACH_TIMEOUT_S 5

struct rps_arena_header rps_idle_arena;
__thread struct rps_thread rps_this_thread __attribute__((tls_model("initial-exec"))) = {.arena = &rps_idle_arena,
										    .token = RPS_TOKEN_NONE};
union rps_process_page __runprofile_process_v2 __attribute__((aligned(RPS_ARCH_PAGE)));
extern union rps_process_page rps_process __attribute__((alias("__runprofile_process_v2")));
int rps_veneer_has_xsave;

/* As in rps_process, but inherited by forked children. */
static struct rps_pool_header *inherited_pool;
static uint64_t inherited_size_bytes;

/* 1 from mlockall on, which would populate gigabytes: free arenas have no access then, and are opened when claimed. Not
 * before, since the application may forbid itself system calls. One bit an arena; inherited by fork together with the mapping. */
static _Atomic int is_closing;
static _Atomic uint64_t opened[RPS_N_ARENAS / 64];
/* What fitted into the address space, at most the pool's own number. */
static uint32_t n_mapped_arenas;

void rps_complain(const char *what, const char *detail)
{
	const char *const parts[] = {"runprofile: ", what, detail[0] != '\0' ? ": " : "", detail, "\n"};
	struct iovec line[5];

	for (int i = 0; i < 5; i++) {
		line[i].iov_base = (void *)(uintptr_t)parts[i];
		line[i].iov_len = strlen(parts[i]);
	}
	if (writev(STDERR_FILENO, line, 5) < 0)
		return; /* nobody to tell */
}

/* ---- Arenas ------------------------------------------------------------------ */

struct rps_arena_header *rps_pool_arena_at(uint32_t slot)
{
	return (struct rps_arena_header *)((char *)rps_pool + RPS_ARENAS_OFFSET + (uint64_t)slot * RPS_ARENA_SIZE);
}

static int open_arena(uint32_t slot)
{
	_Atomic uint64_t *word = &opened[slot / 64];
	uint64_t bit = UINT64_C(1) << (slot % 64);

	if (!atomic_load_explicit(&is_closing, memory_order_acquire) ||
	    (atomic_load_explicit(word, memory_order_acquire) & bit))
		return 0;
	if (mprotect(rps_pool_arena_at(slot), RPS_ARENA_SIZE, PROT_READ | PROT_WRITE) != 0)
		return -errno;
	atomic_fetch_or_explicit(word, bit, memory_order_release);
	return 0;
}

void rps_pool_close_free_arenas(void)
{
	if (rps_pool == NULL || atomic_exchange(&is_closing, 1) != 0)
		return;
	for (uint32_t i = 0; i < n_mapped_arenas; i++) {
		struct rps_arena_slot *slot = rps_pool_slot(i);
		uint32_t free_state = RPS_ARENA_FREE;

		if (!atomic_compare_exchange_strong_explicit(&slot->state, &free_state, RPS_ARENA_CLAIMED,
							     memory_order_acquire, memory_order_relaxed))
			continue;
		mprotect(rps_pool_arena_at(i), RPS_ARENA_SIZE, PROT_NONE);
		atomic_fetch_and_explicit(&opened[i / 64], ~(UINT64_C(1) << (i % 64)), memory_order_relaxed);
		atomic_store_explicit(&slot->state, RPS_ARENA_FREE, memory_order_release);
	}
}

uint64_t rps_pool_mapped_bytes(void)
{
	return inherited_size_bytes;
}

static void raise_to(_Atomic uint32_t *mark, uint32_t value)
{
	uint32_t seen = atomic_load_explicit(mark, memory_order_relaxed);

	while (seen < value && !atomic_compare_exchange_weak_explicit(mark, &seen, value, memory_order_release,
								      memory_order_relaxed))
		;
}

/* Of no other claim of this slot, nor of any other slot. */
static uint64_t new_token(uint32_t slot)
{
	uint64_t n = atomic_fetch_add_explicit(&rps_pool->n_claims, 1, memory_order_relaxed) + UINT64_C(1);

	return n << 32 | slot;
}

uint32_t rps_pool_claim(uint64_t request_id, uint64_t epoch, struct rps_arena_header **arena)
{
	int saved_errno = errno;

	/* From the lowest: the arenas used last are warm, and scans stop early. */
	for (uint32_t i = 0; i < n_mapped_arenas; i++) {
		struct rps_arena_slot *slot = rps_pool_slot(i);
		uint32_t free_state = RPS_ARENA_FREE;

		if (atomic_load_explicit(&slot->state, memory_order_relaxed) != RPS_ARENA_FREE ||
		    !atomic_compare_exchange_strong_explicit(&slot->state, &free_state, RPS_ARENA_CLAIMED,
							     memory_order_acquire, memory_order_relaxed))
			continue;
		raise_to(&rps_pool->n_arenas_used, i + 1);
		if (open_arena(i) != 0) {
			atomic_store_explicit(&slot->state, RPS_ARENA_FREE, memory_order_release);
			break;
		}
		slot->process = rps_process_index;
		slot->pid = rps_process.here.pid;
		slot->own = RPS_OWN_NOT;
		slot->is_beside = 0;
		slot->request_id = request_id;
		slot->epoch = epoch;
		slot->ended_ticks = 0;
		slot->claimed_ticks = rps_clock_now();
		*arena = rps_pool_arena_at(i);
		rps_call_tree_reset(*arena, new_token(i));
		atomic_store_explicit(&slot->state, RPS_ARENA_LIVE, memory_order_release);
		errno = saved_errno;
		return i;
	}
	atomic_fetch_add_explicit(&rps_pool->lost_arenas, 1, memory_order_relaxed);
	*arena = NULL;
	errno = saved_errno;
	return RPS_NO_SLOT;
}

void rps_pool_end(uint32_t slot)
{
	rps_pool_slot(slot)->ended_ticks = rps_clock_now();
	atomic_store_explicit(&rps_pool_slot(slot)->state, RPS_ARENA_ENDED, memory_order_release);
}

void rps_pool_release(uint32_t slot)
{
	atomic_store_explicit(&rps_pool_slot(slot)->state, RPS_ARENA_FREE, memory_order_release);
}

uint32_t rps_pool_slot_of(const struct rps_arena_header *arena)
{
	return (uint32_t)(((const char *)arena - (const char *)rps_pool_arena_at(0)) / RPS_ARENA_SIZE);
}

static void claim_spare(void *cls)
{
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header **spare = cls, *arena;
	uint32_t slot = rps_pool_claim_beside(thread->arena, thread->epoch, &arena);

	if (slot == RPS_NO_SLOT)
		return;
	if (*spare != NULL) /* made by a handler that interrupted us here */
		rps_pool_release(slot);
	else
		*spare = arena;
}

struct rps_arena_header *rps_pool_claim_spare(struct rps_thread *thread, int n)
{
	rps_veneer_call(claim_spare, &thread->spare[n]);
	return thread->spare[n];
}

uint32_t rps_pool_claim_beside(const struct rps_arena_header *arena, uint64_t epoch, struct rps_arena_header **claimed)
{
	uint32_t slot = rps_pool_claim(rps_pool_slot(rps_pool_slot_of(arena))->request_id, epoch, claimed);

	if (slot != RPS_NO_SLOT)
		rps_pool_slot(slot)->is_beside = 1;
	return slot;
}

/* The request may have got its id in between. */
void rps_pool_end_beside(struct rps_arena_header *claimed, const struct rps_arena_header *arena)
{
	const struct rps_arena_slot *main_slot = rps_pool_slot(rps_pool_slot_of(arena));
	uint32_t slot = rps_pool_slot_of(claimed);

	rps_pool_set_request(slot, main_slot->request_id);
	rps_pool_slot(slot)->own = main_slot->own != RPS_OWN_NOT ? RPS_OWN_SPARE : RPS_OWN_NOT;
	rps_pool_end(slot);
}

void rps_pool_end_spares(struct rps_thread *thread, const struct rps_arena_header *arena)
{
	for (int i = 0; i < RPS_N_SPARES; i++) {
		struct rps_arena_header *spare = thread->spare[i];

		thread->spare[i] = NULL;
		if (spare == NULL)
			continue;
		rps_pool_end_beside(spare, arena);
	}
}

void rps_pool_set_request(uint32_t slot, uint64_t request_id)
{
	rps_pool_slot(slot)->request_id = request_id;
}

void rps_pool_notify(void)
{
	int saved_errno = errno;

	atomic_fetch_add_explicit(&rps_pool->ended, 1, memory_order_release);
	syscall(SYS_futex, &rps_pool->ended, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	errno = saved_errno;
}

/* ---- The process ---------------------------------------------------------------- */

/* Field 22 of /proc/self/stat: in clock ticks since boot; 0 if it can't be read. */
static uint64_t own_start_time(void)
{
	char line[1024];
	const char *at;
	ssize_t size;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	size = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[size > 0 ? size : 0] = '\0';
	at = strrchr(line, ')'); /* the name may hold anything; field 3 follows it */
	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

static void register_process(uint64_t start_time)
{
	rps_process.here.pid = (uint32_t)getpid();
	for (uint32_t i = 0; i < RPS_N_PROCESSES; i++) {
		struct rps_process_slot *slot = rps_pool_process(i);
		uint32_t free_state = RPS_PROCESS_FREE;

		if (!atomic_compare_exchange_strong_explicit(&slot->state, &free_state, RPS_PROCESS_CLAIMED,
							     memory_order_acquire, memory_order_relaxed))
			continue;
		slot->pid = rps_process.here.pid;
		slot->start_time = start_time;
		slot->costs = rps_calibration;
		slot->ended_ticks = 0;
		slot->allocations = rps_counters_allocations;
		rps_process_index = i;
		raise_to(&rps_pool->n_processes, i + 1);
		atomic_store_explicit(&slot->state, RPS_PROCESS_LIVE, memory_order_release);
		break;
	}
}

/* The child has the parent's memory, but not its arena: two must never write to one. One system call only, the child may be in a
 * sandbox; the collector finds out when it was started. */
void rps_pool_after_fork(void)
{
	int saved_errno = errno;

	rps_pool = inherited_pool;
	rps_thread_leave(&rps_this_thread);
	for (int i = 0; i < RPS_N_SPARES; i++)
		rps_this_thread.spare[i] = NULL;
	rps_this_thread.epoch = 0;
	rps_this_thread.nested = 0;
	rps_this_thread.in_callback = 0;
	rps_this_thread.home = NULL;
	if (rps_pool != NULL)
		register_process(0);
	errno = saved_errno;
}

/* The application refers to the functions of runprofile.h weakly, which takes nothing out of an archive: static programs have
 * them by this. */
struct runprofile_request *runprofile_begin_v1(const char *name, const char *id);
__attribute__((used)) static struct runprofile_request *(*const api)(const char *name, const char *id) = runprofile_begin_v1;

/* ---- Attaching ---------------------------------------------------------------------- */

/* Connects to "NAME:TOKEN", fills *welcome, returns the pool's descriptor or -errno. */
static int ask_for_pool(const char *variable, struct rps_welcome *welcome)
{
	const char *colon = strchr(variable, ':');
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = ATTACH_TIMEOUT_S};
	struct rps_hello hello = {.version = RPS_WIRE_VERSION, .pid = (uint32_t)getpid(), .clocks = 1u << RPS_COUNTER_CLOCK | 1u << RPS_CLOCK_MONOTONIC};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = welcome, .iov_len = sizeof(*welcome)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *attached;
	size_t name_size = colon != NULL ? (size_t)(colon - variable) : 0;
	int fd, pool_fd = -1, error = 0;

	if (name_size == 0 || name_size > sizeof(address.sun_path) - 1 || strlen(colon + 1) != RPS_TOKEN_SIZE)
		return -EINVAL;
	memcpy(address.sun_path + 1, variable, name_size); /* abstract: a NUL stands first */
	memcpy(hello.token, colon + 1, RPS_TOKEN_SIZE);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name_size)) != 0 ||
	    send(fd, &hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello)) {
		error = -errno;
		goto out;
	}
	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != sizeof(*welcome)) {
		error = -EPROTO;
		goto out;
	}
	attached = CMSG_FIRSTHDR(&message);
	if (attached != NULL && attached->cmsg_level == SOL_SOCKET && attached->cmsg_type == SCM_RIGHTS &&
	    attached->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&pool_fd, CMSG_DATA(attached), sizeof(int));
	if (pool_fd < 0 && (message.msg_flags & MSG_CTRUNC))
		error = -EMFILE; /* there was no room for it in this process */
	else if (welcome->version == RPS_WIRE_VERSION && welcome->n_arenas == 0)
		error = -EXDEV; /* see complain_about() */
	else if (pool_fd < 0 || welcome->version != RPS_WIRE_VERSION)
		error = -EPROTO;
out:
	close(fd);
	if (error != 0 && pool_fd >= 0)
		close(pool_fd);
	return error != 0 ? error : pool_fd;
}

/* Maps as many arenas as the address space allows. NULL if not even the tables fit. */
static struct rps_pool_header *map_pool(int fd, uint32_t n_arenas)
{
	for (; n_arenas > 0; n_arenas /= 4) {
		void *at = mmap(NULL, RPS_POOL_SIZE(n_arenas), PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);

		if (at == MAP_FAILED)
			continue;
		if (mprotect(at, RPS_POOL_SIZE(n_arenas), PROT_READ | PROT_WRITE) == 0) {
			struct rps_pool_header *pool = at;

			if (pool->magic == RPS_WIRE_MAGIC && pool->version == RPS_WIRE_VERSION && pool->n_arenas >= n_arenas) {
				n_mapped_arenas = n_arenas;
				inherited_size_bytes = RPS_POOL_SIZE(n_arenas);
				return pool;
			}
		}
		munmap(at, RPS_POOL_SIZE(n_arenas));
	}
	return NULL;
}

static void find_xsave(void)
{
#ifdef RPS_HAVE_INLINE_HOOKS
	unsigned int a, b, c, d;

	rps_veneer_has_xsave = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) != 0;
#endif
}

static void complain_about(int error)
{
	if (error == -EXDEV)
		rps_complain("this process is not profiled: it is emulated, so it can't read the processor's counter, by which the processes "
			     "started before it are timed (start it without any that are not emulated)", "");
	else
		rps_complain("this process is not profiled, it cannot get the collector's memory", strerror(-error));
}

static void attach(void)
{
	const char *variable = secure_getenv(RPS_ATTACH_VARIABLE);
	struct rps_welcome welcome;
	struct rps_pool_header *pool;
	int fd;

	if (variable == NULL || rps_pool != NULL)
		return;
	fd = ask_for_pool(variable, &welcome);
	if (fd < 0) {
		complain_about(fd);
		return;
	}
	pool = map_pool(fd, welcome.n_arenas);
	close(fd);
	if (pool == NULL) {
		rps_complain("this process is not profiled, the shared memory cannot be mapped", strerror(errno));
		return;
	}
	rps_image_init();
	rps_stacks_init();
	find_xsave();
	madvise(&rps_process, sizeof(rps_process), MADV_WIPEONFORK);
	rps_pool = inherited_pool = pool;
	rps_calibrate();
	register_process(own_start_time());
	/* A registered process gets a barrier when the collector asks for one (wire/layout.h). Forked children inherit that. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
	pthread_atfork(NULL, NULL, rps_pool_after_fork);
	if (rps_environment_hide != NULL)
		rps_environment_hide();
}

/* Before the application's own constructors where the linker's order allows. */
static __attribute__((constructor(101))) void constructor(void)
{
	int saved_errno = errno;

	attach();
	errno = saved_errno;
}

/* The runtime is loaded first, so this runs after the application's destructors. Activations left open
 * by exit() are charged up to here. */
static __attribute__((destructor(101))) void destructor(void)
{
	if (rps_pool != NULL)
		rps_pool_process(rps_process_index)->ended_ticks = rps_clock_now();
}
