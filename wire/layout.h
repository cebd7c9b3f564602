/* SPDX-License-Identifier: MIT */
/* The shared memory between the runtime (which writes, inside the application)
 * and the collector (which reads, outside). One sparse memfd, the pool, made and
 * sealed by the collector, mapped by every process of the application:
 *
 *     0            RPS_PROCESSES_OFFSET  RPS_SLOTS_OFFSET  RPS_DICT_...      RPS_ARENAS_OFFSET
 *     | pool header | process table     | arena slots     | dictionary       | arena 0 | arena 1 | ...
 *
 * An arena, one thread's call tree for one request:
 *
 *     0        RPS_TREE_OFFSET                       RPS_STACK_OFFSET            RPS_ARENA_SIZE
 *     | header | nodes, edges, child tables  ──▶      | shadow stack  ──▶         |
 *
 * Links inside an arena are 32-bit byte offsets from its start (0: none), so
 * that a node costs the same wherever the pool is mapped. All integers are in
 * the machine's own byte order: both sides run on one machine.
 *
 * Who writes what:
 *
 *   pool header     collector, but for the fields marked (runtime), which are atomic counters
 *   process slot    the process that claimed it, until it ends
 *   arena slot      claimed FREE -> CLAIMED by compare-and-swap; then its owner; ENDED -> FREE by the collector
 *   arena           the thread that holds it; never two at a time
 *   dictionary      any thread of any process, append-only, by compare-and-swap
 *
 * Handing over an arena the runtime has not ended itself (application scope). A claim has a number
 * of its own, the token; it stands in the arena and in the memory of the thread that claimed it, and a hook
 * goes on only if the two are equal. If it is to change more than one word, it sets `busy`, and compares once more. The collector clears the
 * arena's token, then issues a membarrier (which puts a full barrier into every running thread of the
 * application) and waits for `busy` to be 0. So either the hook sees that the token is gone and leaves the arena
 * alone, or the collector sees it busy and waits. The arena is given to another thread only from a moment on
 * at which all threads of the application were seen asleep, or the process is dead: a thread that was stopped
 * between its first look at the token and `busy` is runnable, not asleep.
 *
 * What inlined hooks do does not need that. Counting, leaving and pushing a frame end in one store each, and the arena
 * stays its thread's until the rule above lets it go: a call counted while the collector copies is in the copy or is not.
 *
 * Order. "Thread" is one of the application's, and stands for its signal handlers, too.
 *
 *   word                    stored by                          loaded by                       why
 *   slot and process state  CAS acquire / release              acquire                         with the state goes what stands behind it
 *   own, is_beside,         thread, after LIVE                 collector, at any time          atomic each by itself; before ENDED, which is
 *   request_id, ended_ticks                                                                    released, all of them are there
 *   id of a record          release, once the entry is made    acquire                         passed on to the collector, which reads the entry
 *   place in the dictionary CAS release                        acquire                         the same
 *   epoch                   collector, release                 hooks, relaxed                  what a hook touches then, it claims (acquire)
 *   token                   thread, release; collector 0       hooks, relaxed                  the membarrier stands between 0 and the
 *   busy                    thread, 1 relaxed, 0 release       collector, acquire; handlers    collector's look at `busy`
 *   top                     thread, release                    collector, acquire; the thread  the frames below are filled in ...
 *   cfa of a frame          thread, release, last              collector, acquire, first       ... and the topmost one is, or its cfa is 0
 *   ended, the counters     fetch-add                          acquire, relaxed                raised before the wake-up
 *   all else in an arena    thread                             collector, when `state` or `busy` say so
 *
 * On x86-64 these are ordinary loads and stores, which is what inlined hooks do; on arm64 they are not. Where a thread is ordered
 * against its own signal handlers only, there is a compiler's barrier (atomic_signal_fence) and no more.
 */
#ifndef RPS_WIRE_LAYOUT_H
#define RPS_WIRE_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RPS_WIRE_MAGIC 0x6c6f6f7073707200u /* "\0rpspool" */
#define RPS_WIRE_VERSION 4 /* raise it with every change below */

#define RPS_PAGE 4096u
#define RPS_N_PROCESSES 1024u
#define RPS_N_ARENAS 4096u
#define RPS_ARENA_SIZE (8u << 20)
#define RPS_DICT_SLOTS (1u << 18)
#define RPS_DICT_HEAP_SIZE (64u << 20)

#define RPS_PROCESSES_OFFSET ((uint64_t)RPS_PAGE)
#define RPS_SLOTS_OFFSET (RPS_PROCESSES_OFFSET + RPS_N_PROCESSES * sizeof(struct rps_process_slot))
#define RPS_DICT_TABLE_OFFSET (RPS_SLOTS_OFFSET + RPS_N_ARENAS * sizeof(struct rps_arena_slot))
#define RPS_DICT_HEAP_OFFSET (RPS_DICT_TABLE_OFFSET + RPS_DICT_SLOTS * sizeof(uint32_t))
#define RPS_ARENAS_OFFSET ((RPS_DICT_HEAP_OFFSET + RPS_DICT_HEAP_SIZE + RPS_ARENA_SIZE - 1) / RPS_ARENA_SIZE * RPS_ARENA_SIZE)
#define RPS_POOL_SIZE(n_arenas) (RPS_ARENAS_OFFSET + (uint64_t)(n_arenas) * RPS_ARENA_SIZE)

/* ---- Attaching -----------------------------------------------------------
 * The environment variable names an abstract Unix socket (SOCK_SEQPACKET) and a
 * token: "NAME:TOKEN". The runtime connects, sends struct rps_hello, and
 * receives struct rps_welcome with the memfd; without it, and with 0 arenas, if it can't read the clock that the
 * processes before it are timed with. */
#define RPS_ATTACH_VARIABLE "RUNPROFILE_ATTACH"
#define RPS_TOKEN_SIZE 32

struct rps_hello {
	uint32_t version;
	uint32_t pid;
	char token[RPS_TOKEN_SIZE];
	uint32_t clocks; /* bit N: can read enum rps_clock N. An emulated program has another counter than the collector */
};

struct rps_welcome {
	uint32_t version;
	uint32_t n_arenas;
	uint64_t pool_size;
};

/* ---- Pool header ----------------------------------------------------------- */

/* The low two bits of `epoch`; the rest is a number that never comes back. */
enum rps_mode {
	RPS_MODE_OFF = 0,         /* hooks return at once */
	RPS_MODE_REQUEST = 1,     /* adapters say which thread works for which request */
	RPS_MODE_APPLICATION = 2, /* every thread records */
};
#define RPS_MODE_MASK 3u

enum rps_clock {
	RPS_CLOCK_TSC = 1,       /* x86-64: invariant time stamp counter */
	RPS_CLOCK_MONOTONIC = 2, /* clock_gettime(CLOCK_MONOTONIC), in ns */
	RPS_CLOCK_CNTVCT = 3,    /* arm64: virtual count of the generic timer */
};

/* When the clock is read. Calls are counted all, always. */
enum rps_time_mode {
	RPS_TIME_ADAPTIVE = 0, /* at each call of what takes long, at a sample of the calls of what does not */
	RPS_TIME_EXACT = 1,    /* at each entry and exit */
	RPS_TIME_NONE = 2,     /* never */
};

/* What is counted beside calls, where it was asked for (runtime/counters.h). Numbers never change their meaning. */
enum rps_counter {
	RPS_COUNTER_ALLOC_COUNT = 0,
	RPS_COUNTER_ALLOC_BYTES = 1,
	RPS_COUNTER_PAGE_FAULTS = 2,
	RPS_COUNTER_CTX_SWITCHES = 3,
	RPS_N_COUNTERS = 4,
};
#define RPS_COUNTERS_ALLOC (1u << RPS_COUNTER_ALLOC_COUNT | 1u << RPS_COUNTER_ALLOC_BYTES)
#define RPS_COUNTERS_KERNEL (1u << RPS_COUNTER_PAGE_FAULTS | 1u << RPS_COUNTER_CTX_SWITCHES)

#define RPS_REQUEST_FUNCTION_SIZE 256

struct rps_pool_header {
	uint64_t magic;
	uint32_t version;
	uint32_t n_arenas;
	uint64_t pool_size;
	_Atomic uint32_t clock; /* enum rps_clock: what every tick in the pool is. The same from the first process on that gets the pool */
	uint32_t time_mode;  /* enum rps_time_mode */
	uint32_t short_ticks; /* a tenth of a microsecond, about, and 1 at least */
	_Atomic uint32_t n_claims; /* (runtime) makes tokens unique */
	uint32_t defer_accept; /* 1: connections are accepted when there is something to read, so that each request does so at once */
	uint32_t counters;     /* bits 1 << enum rps_counter */
	uint8_t pad0[64 - 48];

	/* Read by every hook: alone in its cache line. */
	_Atomic uint64_t epoch;
	uint8_t pad1[64 - 8];

	/* (runtime) */
	_Atomic uint32_t ended;           /* raised, and woken as a futex, when an adapter ends a request */
	_Atomic uint32_t n_adapters;      /* boundaries of requests are seen by so many adapters */
	_Atomic uint32_t n_arenas_used;   /* slots below this may be in use: where scans stop */
	_Atomic uint32_t n_processes;     /* slots below this may be in use */
	_Atomic uint32_t dict_used;       /* bytes of the heap given out */
	_Atomic uint32_t hooks_seen;      /* 1: an instrumented function has run while recording */
	_Atomic uint64_t lost_arenas;     /* threads that found no free arena */
	_Atomic uint64_t foreign_requests;/* requests an adapter saw without our id */
	_Atomic uint64_t lost_functions;  /* the dictionary was full */

	/* --request: each outermost call of the function of this name is a request. Empty: none. */
	char request_function[RPS_REQUEST_FUNCTION_SIZE];
};
_Static_assert(offsetof(struct rps_pool_header, epoch) == 64, "epoch starts a cache line");
_Static_assert(offsetof(struct rps_pool_header, ended) == 128, "epoch ends its cache line");
_Static_assert(sizeof(struct rps_pool_header) <= RPS_PAGE, "the header is one page");

/* ---- Process table ----------------------------------------------------------- */

enum rps_process_state {
	RPS_PROCESS_FREE = 0,
	RPS_PROCESS_CLAIMED = 1, /* being filled in, or emptied */
	RPS_PROCESS_LIVE = 2,
};

/* Whether calls of malloc() come by the runtime. */
enum rps_allocations {
	RPS_ALLOCATIONS_UNSEEN = 0,  /* nothing is preloaded into static programs */
	RPS_ALLOCATIONS_COUNTED = 1,
	RPS_ALLOCATIONS_OWN = 2,     /* the program itself has a malloc(), which comes first */
};

/* How a function's hooks are built. */
enum rps_hooks {
	RPS_HOOKS_INLINED = 0,
	RPS_HOOKS_LEAF = 1,   /* inlined, of a function that calls nothing: no frame, unless it is timed */
	RPS_HOOKS_CALLED = 2, /* calls of the runtime */
};

/* In 1/256 tick. */
struct rps_hook_cost {
	uint32_t inside;  /* of a timed call, in its own time */
	uint32_t outside; /* of a timed call, in its caller's time */
	uint32_t untimed; /* of a call that is not timed, in the time of whoever is */
};

struct rps_hook_costs {
	struct rps_hook_cost inlined, called;
	uint32_t leaf_untimed;                /* a timed leaf costs as much as others */
	uint32_t fence_inside, fence_outside; /* more, of a timed call that reads the clock behind a fence */
};

struct rps_process_slot {
	_Atomic uint32_t state;
	uint32_t pid;
	_Atomic uint64_t start_time; /* field 22 of /proc/PID/stat: tells a pid's successor apart; 0 not yet known (of a forked child the
			      * collector fills it in) */
	_Atomic uint64_t ended_ticks; /* when exit() came to the runtime's destructor; 0: not, or it was killed */
	struct rps_hook_costs costs; /* measured once, when the process attached */
	uint32_t allocations;        /* enum rps_allocations */
};
_Static_assert(sizeof(struct rps_process_slot) == 64, "one cache line");

/* ---- Arena slots --------------------------------------------------------------- */

enum rps_arena_state {
	RPS_ARENA_FREE = 0,
	RPS_ARENA_CLAIMED = 1, /* being filled in, or emptied */
	RPS_ARENA_LIVE = 2,    /* a thread may write to it */
	RPS_ARENA_ENDED = 3,   /* its request has ended: the collector's */
};

/* Requests that the application marks itself, without the front knowing of them. */
enum rps_own_kind {
	RPS_OWN_NOT = 0,
	RPS_OWN_MAIN = 1,  /* the arena that tells by its end that the request is over */
	RPS_OWN_SPARE = 2, /* of the same request: what signal handlers did in the middle of a hook */
};

struct rps_arena_slot {
	_Atomic uint32_t state;
	uint32_t process; /* index into the process table */
	uint32_t pid;
	_Atomic uint32_t own; /* enum rps_own_kind */
	_Atomic uint64_t request_id; /* request scope; 0 in application scope */
	uint64_t epoch;       /* in which it was claimed */
	uint64_t claimed_ticks;
	uint64_t ended_ticks; /* request scope; 0: not yet, or it died */
	_Atomic uint32_t is_beside; /* 1: not the thread's first of this request (another stack, a handler in the middle of a hook) */
	uint32_t reserved[3];
};
_Static_assert(sizeof(struct rps_arena_slot) == 64, "one cache line");

/* ---- Dictionary ------------------------------------------------------------------
 * Strings, files and functions, each once, by contents. An id is an entry's
 * byte offset in the heap (never 0). The table is open addressing over ids, 0 is empty. An entry is
 * complete before its id is put in the table (release), and never changes after. */

enum rps_entry_kind {
	RPS_ENTRY_STRING = 1,   /* the bytes, no NUL */
	RPS_ENTRY_IMAGE = 2,    /* struct rps_image_entry */
	RPS_ENTRY_FUNCTION = 3, /* struct rps_function_entry */
};

struct rps_entry {
	uint32_t kind;
	uint32_t size; /* bytes of the payload that follows */
	uint32_t hash;
	uint32_t reserved;
	/* payload, padded to 8 bytes */
};
_Static_assert(sizeof(struct rps_entry) == 16, "payloads are aligned to 8");

#define RPS_BUILD_ID_MAX 20
struct rps_image_entry {
	uint32_t path; /* string: absolute */
	uint8_t build_id_size;
	uint8_t build_id[RPS_BUILD_ID_MAX];
	uint8_t pad[3];
};
_Static_assert(sizeof(struct rps_image_entry) == 28, "no holes: compared by bytes");

/* From a record: name, symbol, file, line; `image` tells in which object it stands. From a plain hook:
 * image and address only, the collector finds the names. */
struct rps_function_entry {
	uint32_t name, symbol, file; /* strings, 0 unknown */
	uint32_t line;
	uint32_t image;
	uint32_t is_external; /* 1: not instrumented, known from its callers */
	uint64_t address; /* ELF virtual address (run-time address less load bias); absolute without image; 0 from a record */
};
_Static_assert(sizeof(struct rps_function_entry) == 32, "no holes: compared by bytes");

/* ---- Arena ------------------------------------------------------------------------ */

/* Which timed calls read the clock behind a fence (runtime/clock.h). */
enum rps_fence {
	RPS_FENCE_NEVER = 0,
	RPS_FENCE_LONG = 1, /* those of edges that are not short, as far as was seen */
	RPS_FENCE_ALWAYS = 2,
};

/* Do the kernel's counts of the owner go on in this arena? */
enum rps_kernel {
	RPS_KERNEL_STANDS = 0,
	RPS_KERNEL_RUNS = 1,
	RPS_KERNEL_PAUSES = 2, /* for as long as the runtime itself does what would count */
};

struct rps_arena_header {
	/* The inlined hooks know these four by their offsets (runtime/hook_asm.h). Addresses are the owner's. */
	_Atomic uint64_t token; /* of the claim; 0: the collector has stopped it */
	_Atomic uint64_t busy;  /* 1 while a hook is changing the arena */
	uint64_t top;           /* the topmost frame */
	uint64_t limit;         /* no frame is pushed on this one or above */
	uint64_t base;          /* where the owner has the arena mapped */
	uint32_t used;          /* bytes of the tree part given out, from the arena's start */
	uint32_t root;          /* node */
	uint32_t overflow;      /* node below which contexts are collapsed, 0: none yet */
	uint32_t timed_top;     /* the topmost frame that is timed; RPS_STACK_OFFSET: the bottom, an unused frame */
	uint32_t n_nodes;
	uint32_t n_edges;
	uint32_t functions;     /* table of first nodes, by function id: (functions_mask + 1) offsets, 0 is empty */
	uint32_t functions_mask;
	uint32_t n_functions;
	uint32_t attached;      /* 1 while a thread works in it (request scope: between resume and suspend) */
	uint32_t time_mode;     /* enum rps_time_mode */
	uint32_t random;        /* state of the generator that spreads the samples */
	uint32_t fence;         /* enum rps_fence */
	uint32_t metas;         /* what the application says of the request: the newest, 0 none */
	uint64_t lost_calls;    /* not in the tree: no memory */
	uint64_t deep_calls;    /* in the tree, but without a frame: the stack was full. Their time is their caller's */
	uint64_t scope_ticks;   /* sum of resume..suspend */
	uint64_t resumed_ticks; /* of the last resume */
	uint64_t miss_ticks;    /* spent on first appearances of calls; already taken off */
	uint64_t abandoned;     /* frames that never saw their exit (longjmp, pthread_exit ...) and were closed by a later event */
	uint32_t counters;      /* bits 1 << enum rps_counter: then every call is timed, or is as if it were */
	uint32_t next_stack;    /* slot + 1 of the arena for another stack of the same thread (runtime/stacks.h); 0: none */
	uint64_t stack_low;     /* addresses on the stack that it is for ... */
	uint64_t stack_size;    /* ... from there on; UINT64_MAX: any */
	uint64_t paused_ticks;  /* the thread is on another stack since; 0: it is on this one */
	uint64_t counted[RPS_N_COUNTERS];  /* so far, in all */
	uint32_t kernel_base[2];           /* what the kernel's counts of the thread were when they were last looked at */
	uint32_t kernel;                   /* enum rps_kernel */
	uint32_t touched;                  /* the stack below this offset has been written to since the claim */
};
_Static_assert(offsetof(struct rps_arena_header, limit) == 24, "hook_asm.h");
_Static_assert(sizeof(struct rps_arena_header) <= 256, "fits before the tree");

/* Name (an empty key) or metadata of a request, given out like nodes. */
struct rps_wire_meta {
	uint32_t next;
	uint16_t key_size, value_size;
	char text[56]; /* key, then value, without NULs; may be longer */
};
_Static_assert(sizeof(struct rps_wire_meta) == 64, "given out in units of 64 bytes, which are multiples of RPS_TREE_UNIT");
#define RPS_META_TEXT_MAX 2048u /* key and value together */
#define RPS_METAS_MAX 64u

#define RPS_TREE_OFFSET 256u
/* What is given out is a multiple of it. */
#define RPS_TREE_UNIT 32u
#define RPS_STACK_OFFSET (7u << 20)
/* Beyond this, a new context is collapsed below the overflow node; what is left then holds edges. */
#define RPS_TREE_SOFT_LIMIT (3u << 20)

/* A place of a child table: what each call needs of its edge. Keys of 0 match nothing. */
struct rps_wire_place {
	uint64_t key_function;
	uint64_t key_site;
	union {
		struct {
			int32_t skip;  /* calls until one is timed; counted down by each */
			uint32_t edge; /* 0: it has been left */
		};
		uint64_t skip_and_edge; /* `skip` is the lower half */
	};
	uint32_t to_table; /* of the node the edge leads to */
	uint32_t to_mask;
};
_Static_assert(offsetof(struct rps_wire_place, skip) == 16 && offsetof(struct rps_wire_place, to_table) == 24, "hook_asm.h");
_Static_assert(sizeof(struct rps_wire_place) == 32, "hook_asm.h");

/* Stands before every child table, whose places are aligned. */
struct rps_wire_table {
	uint32_t node;
	uint32_t reserved0;
};

/* A function in a calling context. 96 bytes. Its own time is found from the edges (collect/estimate.c). */
struct rps_wire_node {
	uint32_t function; /* id, 0 for the root, RPS_FUNCTION_OVERFLOW for the overflow node */
	uint32_t parent;
	uint32_t first_edge; /* newest first */
	uint32_t first_in;   /* of the edges that lead here */
	uint32_t table;      /* child table: offset of its (mask + 1) places. Those it had before match nothing any more */
	uint32_t mask;
	uint32_t conflicts; /* misses in a full place since the table grew */
	uint32_t first;     /* the first node of this function in the arena, maybe itself */
	uint32_t is_recursive; /* in that first node: 1 if the function may be active more than once at a time */
	uint32_t n_edges;
	uint64_t reserved0[2];
	/* Its first table, of one place. */
	uint32_t own_offset;
	uint32_t reserved1;
	struct rps_wire_place own_place;
};
_Static_assert(sizeof(struct rps_wire_node) == 96, "a multiple of the unit");
#define RPS_FUNCTION_OVERFLOW UINT32_MAX

/* Calls from one node, at one call site, of one function: 128 bytes. There have been granted - skip calls. A timed call stands
 * for the calls since the one timed before: its weight. Times are without what timed calls below have reported. */
struct rps_wire_edge {
	uint64_t key_function; /* address of the record, or of the function (plain hooks) */
	uint64_t key_site;     /* return address, or address of the site record */
	uint32_t place;        /* offset of its place in the child table; 0: another edge has that */
	int32_t skip;          /* while it has no place */
	uint64_t granted;
	uint32_t to;           /* node */
	uint32_t next;         /* edge of the same source */
	uint32_t next_in;      /* edge to the same node */
	uint32_t hash;
	uint32_t period;       /* the weight of the next timed call */
	uint32_t n_timed;
	uint64_t weight;          /* of all timed calls */
	uint64_t ticks;           /* of all timed calls */
	uint64_t weighted_ticks;  /* the same, each times its weight */
	uint64_t outermost_ticks; /* whole duration, weighted, of those not called while their function was active */
	/* Where: an inlined call has file and line; a call that was made has image and address. */
	uint16_t site_kind;   /* enum rps_site_kind */
	uint16_t inner_calls; /* 1: some calls were not outermost */
	uint32_t site_file_or_image;
	uint64_t site_line_or_address; /* address: ELF virtual address of the return address */
	uint32_t n_fenced;    /* of the timed ones */
	uint32_t hooks;       /* enum rps_hooks */
	uint32_t counts;      /* struct rps_wire_counts; 0: none, nothing but calls is counted */
	uint32_t may_wait;    /* 1: each call is timed (runtime/waiting.h) */
	uint64_t reserved0;
};
_Static_assert(sizeof(struct rps_wire_edge) == 128, "a multiple of the unit");

/* What was counted from entry to exit of an edge's calls, callees included. What a node has counted itself is the difference
 * between all that goes in and all that goes out. */
struct rps_wire_counts {
	uint64_t all[RPS_N_COUNTERS];
	uint64_t outermost[RPS_N_COUNTERS]; /* of calls made while their function was not active */
};
_Static_assert(sizeof(struct rps_wire_counts) == 64, "a multiple of the unit");

/* Of an edge without a place, and of those the collector has read. */
static inline uint64_t rps_wire_edge_calls(const struct rps_wire_edge *edge)
{
	return edge->granted - (uint64_t)(int64_t)edge->skip;
}

enum rps_site_kind { RPS_SITE_UNKNOWN = 0, RPS_SITE_LINE = 1, RPS_SITE_ADDRESS = 2 };

/* One activation on the shadow stack. 56 bytes. Of one that is not timed only the first four count. `cfa` is 0 above the topmost
 * frame, and in it as long as it is being pushed: a signal handler can't take that for a caller. */
struct rps_wire_frame {
	uint64_t cfa;
	uint64_t mark; /* key of the function, + 1 if timed; of an external call something else (runtime/call_tree.h) */
	uint32_t table; /* of its node; also one that it had before */
	uint32_t mask;
	uint32_t edge;
	uint32_t weight;      /* and flags */
	uint64_t start_ticks;
	uint64_t child_ticks; /* reported by timed activations below */
	uint32_t below;       /* the next timed frame below */
	uint32_t reserved0;
};
#define RPS_WEIGHT_INNER (1u << 31) /* the function was active already */
#define RPS_WEIGHT_LEAF (1u << 30)  /* it has a frame only because it is timed */
#define RPS_WEIGHT_FENCED (1u << 29) /* its end is read behind a fence, too */
#define RPS_WEIGHT_MASK (RPS_WEIGHT_FENCED - 1)
_Static_assert(offsetof(struct rps_wire_frame, table) == 16, "hook_asm.h");
_Static_assert(sizeof(struct rps_wire_frame) == 56, "hook_asm.h");
#define RPS_STACK_FRAMES_MAX ((RPS_ARENA_SIZE - RPS_STACK_OFFSET) / sizeof(struct rps_wire_frame) - 1)

/* Where something is counted, the stack is shorter, and behind it lies for each frame what had been counted at its entry. */
struct rps_wire_counted {
	uint64_t counted[RPS_N_COUNTERS];
};
#define RPS_STACK_FRAMES_COUNTED_MAX                                                                                 \
	((RPS_ARENA_SIZE - RPS_STACK_OFFSET) / (sizeof(struct rps_wire_frame) + sizeof(struct rps_wire_counted)) - 1)
#define RPS_COUNTED_OFFSET (RPS_STACK_OFFSET + (RPS_STACK_FRAMES_COUNTED_MAX + 1) * sizeof(struct rps_wire_frame))

#endif
