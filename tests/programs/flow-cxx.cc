// SPDX-License-Identifier: MIT
/* Exceptions through instrumented, inlined and foreign frames, destructors that run meanwhile, and objects with thread and static
 * storage. The trees are written down in tests/e2e/flow/exceptions-and-destructors. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#define NOINLINE __attribute__((noinline))

extern "C" void foreign_call(void (*function)(int), int argument); /* flow-foreign.cc, not instrumented */

static volatile int sink;

static NOINLINE void leaf()
{
	sink = sink + 1;
}

static NOINLINE void after()
{
	sink = sink + 1;
}

struct Guard {
	NOINLINE Guard()
	{
		leaf();
	}
	NOINLINE ~Guard()
	{
		leaf();
	}
};

static NOINLINE void throw_below(int depth)
{
	Guard guard;

	if (depth == 0)
		throw depth;
	throw_below(depth - 1);
	after(); /* never */
}

static NOINLINE void caught()
{
	try {
		throw_below(2);
	} catch (int) {
		leaf();
	}
	after();
}

static void exceptions()
{
	for (int i = 0; i < 10; i++)
		caught();
	after();
}

/* ---- Inlined ------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void inlined_throw(int i)
{
	leaf();
	if (i >= 0)
		throw i;
}

static inline __attribute__((always_inline)) void inlined_middle(int i)
{
	Guard guard;

	inlined_throw(i);
	after(); /* never */
}

static NOINLINE void inlined_caught(int i)
{
	try {
		inlined_middle(i);
	} catch (int) {
		after();
	}
	after();
}

static void inlined_exceptions()
{
	for (int i = 0; i < 10; i++)
		inlined_caught(i);
	after();
}

/* ---- Foreign frames --------------------------------------------------------------------- */

static void called_back(int depth)
{
	leaf();
	if (depth == 0)
		throw depth;
	foreign_call(called_back, depth - 1);
	after(); /* never */
}

static NOINLINE void foreign_caught()
{
	try {
		foreign_call(called_back, 2);
	} catch (int) {
		leaf();
	}
	after();
}

static int compare_and_throw(const void *, const void *)
{
	leaf();
	throw 1;
}

static NOINLINE void qsort_caught()
{
	int numbers[] = {3, 1, 2};

	try {
		qsort(numbers, 3, sizeof(int), compare_and_throw);
	} catch (int) {
		leaf();
	}
	after();
}

/* Nothing of ours runs between the call and what the handler calls. */
static NOINLINE void at_caught(const std::string &text)
{
	try {
		text.at(1000);
	} catch (const std::exception &) {
		leaf();
	}
	after();
}

static void foreign_exceptions()
{
	for (int i = 0; i < 10; i++) {
		foreign_caught();
		qsort_caught();
		at_caught("short");
	}
	after();
}

/* ---- Thrown again, and thrown by a constructor ------------------------------------------------ */

struct Broken {
	Guard guard;
	NOINLINE Broken()
	{
		leaf();
		throw 1;
	}
};

static NOINLINE void rethrow()
{
	try {
		Broken broken;
		after(); /* never */
	} catch (...) {
		leaf();
		throw;
	}
}

static NOINLINE void rethrow_caught()
{
	try {
		rethrow();
	} catch (int) {
	}
	after();
}

static void rethrown_exceptions()
{
	for (int i = 0; i < 10; i++)
		rethrow_caught();
	after();
}

/* ---- Storage ------------------------------------------------------------------------------------ */

struct PerThread {
	NOINLINE PerThread()
	{
		leaf();
	}
	NOINLINE ~PerThread()
	{
		leaf();
		leaf();
	}
	NOINLINE void touch()
	{
		after();
	}
};

static thread_local PerThread per_thread;

static void in_thread()
{
	per_thread.touch();
}

static void thread_storage()
{
	for (int i = 0; i < 5; i++)
		std::thread(in_thread).join();
	after();
}

struct Global {
	NOINLINE Global()
	{
		leaf();
	}
	NOINLINE ~Global()
	{
		leaf();
	}
};

static Global global;

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)();
	} cases[] = {{"exceptions", exceptions},
		     {"inlined", inlined_exceptions},
		     {"foreign", foreign_exceptions},
		     {"rethrown", rethrown_exceptions},
		     {"storage", thread_storage}};

	for (auto &it : cases) {
		if (argc > 1 && strcmp(argv[1], it.name) == 0) {
			it.run();
			return 0;
		}
	}
	fprintf(stderr, "flow-cxx: no such case\n");
	return 2;
}
