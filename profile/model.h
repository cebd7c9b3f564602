/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The profile: what one request (or several, merged) did, in memory. Readers
 * and the collector build it, writers, merge and diff read it. It knows
 * neither HTTP nor shared memory nor any file format.
 *
 * A profile is a tree of nodes (a function in a calling context) below one
 * root, and edges between them:
 *
 *     root "GET /cart"            node 0, no function of its own to call it
 *      └─ handle            edge: root   -> handle, call site, 1 call
 *          ├─ parse         edge: handle -> parse,  router.c:41, 1 call
 *          └─ walk          edge: handle -> walk,   router.c:44, 1 call
 *              └─ (walk)    edge: walk   -> walk    folded: an active function
 *                                                   is not a new node
 *
 * An edge's target is a child of its source or (recursion) the source itself
 * or an ancestor; or it is a child of the overflow node, where there is one:
 * those stand for a function in all the contexts that were too many. `calls` counts every call; an edge's
 * `inclusive` costs are those of the callee's outermost activations only, so that no sum of inclusive costs
 * of one function exceeds the total. The sum of all nodes' `self` is the profile's total, exactly, per event.
 *
 * Files that know no contexts (callgrind) make a *flat* profile (rps_profile.is_flat): every function is one
 * node, all of them children of the root, and an edge leads from any node to any but the root.
 *
 *     root                          a request's own, or empty: then no function calls what
 *      ├─ handle  (self)            nothing calls, and the root's name is only a title
 *      ├─ parse   (self)            edges: root -> handle, handle -> parse, parse -> walk, walk -> parse ...
 *      └─ walk    (self)
 *
 * Its costs are those of the file. What others count for recursive calls differs, so nothing is promised of
 * the sum of inclusive costs there; the sum of `self` is the total as ever.
 *
 * Not thread-safe: one owner at a time.
 */
#ifndef RPS_PROFILE_MODEL_H
#define RPS_PROFILE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define RPS_EVENTS_MAX 16
#define RPS_EVENT_NAME_MAX 100
#define RPS_NONE UINT32_MAX

struct rps_event {
	const char *name;      /* [A-Za-z_][A-Za-z0-9_]*: "Wall_ns" */
	const char *long_name; /* "Wall time (ns)"; "" if there is none */
};

struct rps_function {
	const char *name;   /* printable, demangled */
	const char *symbol; /* assembler name, "" if unknown */
	const char *file;   /* absolute path, "" if unknown */
	const char *object; /* absolute path of the executable or shared object, "" if unknown */
	uint32_t line;      /* of the definition, 0 if unknown */
};

struct rps_node {
	uint32_t function;
	uint32_t parent;     /* RPS_NONE for the root */
	uint32_t first_edge; /* outgoing, linked by rps_edge.next; RPS_NONE at the end */
	uint32_t first_line; /* linked by rps_line.next; RPS_NONE at the end, and usually */
	uint64_t self[RPS_EVENTS_MAX];
};

/* Of a node's self cost, where it is known more exactly than by the function's definition: the part that a
 * line costs. Code that was inlined is in other files than the function. */
struct rps_line_cost {
	uint32_t node, line;
	uint32_t next;    /* of the same node */
	const char *file; /* "" if unknown */
	uint64_t self[RPS_EVENTS_MAX];
};

struct rps_edge {
	uint32_t from, to;     /* nodes */
	uint32_t next;         /* of the same source */
	const char *site_file; /* absolute, "" if unknown */
	uint32_t site_line;    /* 0 if unknown */
	uint64_t calls;
	uint64_t inclusive[RPS_EVENTS_MAX];
};

struct rps_meta {
	const char *key;   /* "Id", "URL", "Status", "Lost calls": printable ASCII, no colon */
	const char *value; /* any text; writers escape what their format can't hold */
	int is_volatile;   /* differs between runs that do the same work: an id, a time */
};

struct rps_profile {
	struct rps_event events[RPS_EVENTS_MAX]; /* literals, or by rps_profile_set_events */
	uint32_t n_events;
	struct rps_function *functions;
	uint32_t n_functions;
	struct rps_node *nodes; /* nodes[0] is the root; parents stand before children */
	uint32_t n_nodes;
	struct rps_edge *edges;
	uint32_t n_edges;
	struct rps_line_cost *lines; /* together at most the node's self */
	uint32_t n_lines;
	uint32_t overflow;      /* node, RPS_NONE (default): no contexts were collapsed */
	int is_flat;            /* see above */
	struct rps_meta *metas; /* in the order they were added */
	uint32_t n_metas;
	char *command;                   /* of the application, "" if unknown */
	uint32_t pid;                    /* of the application, 0 if unknown or several */
	int volatile_headers;            /* nonzero (default): write pid, command and volatile metas too */
	struct rps_profile_index *index; /* lookup tables, private to model.c */
};

/* An empty profile with one event, Wall_ns, and a root function called
 * `root_name`. NULL when out of memory. */
struct rps_profile *rps_profile_create(const char *root_name);
void rps_profile_destroy(struct rps_profile *profile);

/* Each returns an index, or RPS_NONE when out of memory (or out of 32-bit
 * indices). Strings are copied, equal ones once: two strings of one profile's functions
 * and edges are equal exactly when they are one pointer. NULL counts as "". */

/* The function with these five values, added if it is new. */
uint32_t rps_profile_function(struct rps_profile *profile, const struct rps_function *function);
/* The child of node `parent` for `function`, added if it is new. No folding:
 * the caller decides where recursion goes. */
uint32_t rps_profile_node(struct rps_profile *profile, uint32_t parent, uint32_t function);
/* The edge with this source, target and call site, added with zero costs if it is new. */
uint32_t rps_profile_edge(struct rps_profile *profile, uint32_t from, uint32_t to, const char *site_file,
			  uint32_t site_line);

/* The same for what is known to be new, with the profile's own texts (rps_profile_text): for readers, who
 * have looked already. Costs and all are taken over, `next` is not. */
uint32_t rps_profile_append_function(struct rps_profile *profile, const struct rps_function *function);
uint32_t rps_profile_append_node(struct rps_profile *profile, uint32_t parent, uint32_t function);
uint32_t rps_profile_append_edge(struct rps_profile *profile, const struct rps_edge *edge);
uint32_t rps_profile_append_line(struct rps_profile *profile, const struct rps_line_cost *line);

/* The profile's own copy of `text`; NULL when out of memory. */
const char *rps_profile_text(struct rps_profile *profile, const char *text);

/* Replaces the events; all costs stay where they are. 0, -ENOMEM, or -E2BIG. */
int rps_profile_set_events(struct rps_profile *profile, const struct rps_event *events, uint32_t n_events);

/* Gives functions other values, `functions[i]` to function i: for readers that see a function's line after
 * its name. One that would become equal to another keeps its name and line. 0 or -ENOMEM. */
int rps_profile_redefine_functions(struct rps_profile *profile, const struct rps_function *functions);

/* The line of a node, added with zero cost if it is new. */
uint32_t rps_profile_line(struct rps_profile *profile, uint32_t node, const char *file, uint32_t line);

/* 0 or -ENOMEM. A key that is there already gets a second line. A volatile
 * meta is one that rps_profile.volatile_headers switches off. */
int rps_profile_add_meta(struct rps_profile *profile, const char *key, const char *value);
int rps_profile_add_volatile_meta(struct rps_profile *profile, const char *key, const char *value);
/* The first value of `key`, or NULL. */
const char *rps_profile_meta(const struct rps_profile *profile, const char *key);
int rps_profile_set_command(struct rps_profile *profile, const char *command);

/* Sum of self over all nodes: the profile's total for event `event`. Like all
 * sums of costs it stays at UINT64_MAX rather than wrap round. */
uint64_t rps_profile_total(const struct rps_profile *profile, uint32_t event);

/* Checks what the comments above promise: indices, names of events, lists of
 * edges, where edges lead, no inclusive cost above the total, root's self +
 * outgoing == total, and nothing but the root that costs something uncalled; of a flat profile, that it is
 * one. Linear in the profile's size. 0, -ENOMEM, or -EINVAL, each with a sentence in `why`. */
int rps_profile_check(const struct rps_profile *profile, char *why, size_t why_size);

/* a + b, UINT64_MAX where that does not fit. */
uint64_t rps_cost_add(uint64_t a, uint64_t b);

#endif
