/* SPDX-License-Identifier: MIT */
/* Programs that leave one stack for another: `flow-stacks CASE N`. A generator calls leaf() twice and next() once for each of its N values, main
 * calls after() for each value it got. The same code runs on several stacks at once, below and above main's. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline))
#define N_GENERATORS 3
#define STACK_SIZE (64 * 1024)

static volatile int sink;
static int n_values;

static NOINLINE void leaf(void)
{
	sink++;
}

static NOINLINE void after(void)
{
	sink++;
}

/* ---- Generators ------------------------------------------------------------------ */

struct generator {
	ucontext_t own, caller;
	void *own_sp, *caller_sp;
	char *stack;
	int value, has_ended;
};

static struct generator *current;
static void (*yield)(struct generator *generator);

static NOINLINE void next(struct generator *generator, int value)
{
	generator->value = value;
	leaf();
	yield(generator);
	leaf();
}

static NOINLINE void generate(struct generator *generator, int from)
{
	if (from >= n_values)
		return;
	next(generator, from);
	generate(generator, from + 1);
}

static NOINLINE void run_generator(struct generator *generator)
{
	generate(generator, 0);
	generator->has_ended = 1;
}

/* All of them in turn, until each has ended. */
static NOINLINE void consume(struct generator *generators, void (*resume)(struct generator *))
{
	for (int n_ended = 0; n_ended < N_GENERATORS;) {
		n_ended = 0;
		for (int i = 0; i < N_GENERATORS; i++) {
			if (generators[i].has_ended) {
				n_ended++;
				continue;
			}
			resume(&generators[i]);
			after();
		}
	}
}

static void make_stacks(struct generator *generators)
{
	for (int i = 0; i < N_GENERATORS; i++) {
		generators[i].stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (generators[i].stack == MAP_FAILED)
			exit(1);
	}
}

/* ---- ... by swapcontext ------------------------------------------------------------- */

static void yield_context(struct generator *generator)
{
	swapcontext(&generator->own, &generator->caller);
}

static void resume_context(struct generator *generator)
{
	current = generator;
	swapcontext(&generator->caller, &generator->own);
}

static void start_context(void)
{
	run_generator(current);
}

static void by_context(void)
{
	static struct generator generators[N_GENERATORS];

	yield = yield_context;
	make_stacks(generators);
	for (int i = 0; i < N_GENERATORS; i++) {
		getcontext(&generators[i].own);
		generators[i].own.uc_stack.ss_sp = generators[i].stack;
		generators[i].own.uc_stack.ss_size = STACK_SIZE;
		generators[i].own.uc_link = &generators[i].caller;
		makecontext(&generators[i].own, start_context, 0);
	}
	consume(generators, resume_context);
}

/* ---- ... by hand ---------------------------------------------------------------------- */

#ifdef __x86_64__
void switch_stack(void **save, void *to);
__asm__("switch_stack:\n"
	"	push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
	"	ret\n");

static void yield_by_hand(struct generator *generator)
{
	switch_stack(&generator->own_sp, generator->caller_sp);
}

static void resume_by_hand(struct generator *generator)
{
	current = generator;
	switch_stack(&generator->caller_sp, generator->own_sp);
}

static void start_by_hand(void)
{
	run_generator(current);
	yield_by_hand(current);
	abort();
}

static void by_hand(void)
{
	static struct generator generators[N_GENERATORS];

	yield = yield_by_hand;
	make_stacks(generators);
	for (int i = 0; i < N_GENERATORS; i++) {
		void **sp = (void **)(void *)(generators[i].stack + STACK_SIZE - 16);

		*--sp = NULL; /* where start_by_hand would return to */
		*--sp = (void *)(size_t)start_by_hand;
		generators[i].own_sp = sp - 6;
	}
	consume(generators, resume_by_hand);
}
#else
static void by_hand(void)
{
	by_context();
}
#endif

/* More than there are arenas for in one thread: those beyond are recorded with the thread's own stack. */
static void by_many_contexts(void)
{
	static struct generator generators[100 * N_GENERATORS];

	yield = yield_context;
	for (int k = 0; k < 100; k++) {
		make_stacks(generators + (size_t)k * N_GENERATORS);
		for (int i = k * N_GENERATORS; i < (k + 1) * N_GENERATORS; i++) {
			getcontext(&generators[i].own);
			generators[i].own.uc_stack.ss_sp = generators[i].stack;
			generators[i].own.uc_stack.ss_size = STACK_SIZE;
			generators[i].own.uc_link = &generators[i].caller;
			makecontext(&generators[i].own, start_context, 0);
		}
	}
	/* All of them are there at the same time. */
	for (int k = 0; k < 100; k++) {
		resume_context(&generators[(size_t)k * N_GENERATORS]);
		after();
	}
	for (int k = 0; k < 100; k++)
		consume(generators + (size_t)k * N_GENERATORS, resume_context);
}

/* ---- Deep stacks, which are no other stacks ------------------------------------------------ */

static NOINLINE void descend(int kib)
{
	volatile char room[1024];

	room[0] = (char)kib;
	leaf();
	if (kib > 0)
		descend(kib - 1);
	sink += room[0];
}

static void *descend_in_thread(void *arg)
{
	descend(20 * 1024);
	return arg;
}

/* Seven MiB of main's stack, and twenty of a thread's that has asked for so much. */
static void deep(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	descend(6 * 1024);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)64 << 20);
	pthread_create(&thread, &attributes, descend_in_thread, NULL);
	pthread_join(thread, NULL);
}

/* On a thread's stack, which lies below main's and, as a rule, above the generators'. */
static void *run_in_thread(void *run)
{
	(*(void (**)(void))run)();
	return NULL;
}

static void in_thread(void (*run)(void))
{
	pthread_t thread;

	pthread_create(&thread, NULL, run_in_thread, &run);
	pthread_join(thread, NULL);
}

/* ---- Signals that come at any time --------------------------------------------------------- */

static volatile sig_atomic_t n_ticks;

static NOINLINE void ticked(void)
{
	leaf();
}

static void on_tick(int number)
{
	n_ticks++;
	ticked();
	ticked();
	sink += number;
}

static NOINLINE int fib(int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static void storm(void)
{
	struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < n_values; i++)
		after(), sink += fib(20);
	setitimer(ITIMER_REAL, &never, NULL);
	printf("%d\n", (int)n_ticks);
}

/* The handler never returns: whatever it interrupted, hooks included, is given up. */
static sigjmp_buf env;

static void leap_out(int number)
{
	on_tick(number);
	siglongjmp(env, 1);
}

static NOINLINE void leap(int n_leaps)
{
	struct sigaction action = {.sa_handler = leap_out};
	struct itimerval every = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
	volatile int n_returns = 0;

	sigaction(SIGALRM, &action, NULL);
	while (n_ticks < n_leaps) {
		if (sigsetjmp(env, 1) == 0) {
			setitimer(ITIMER_REAL, &every, NULL);
			for (;;)
				sink += fib(20);
		}
		/* The next signal may have come already. */
		setitimer(ITIMER_REAL, &never, NULL);
		after();
		n_returns++;
	}
	printf("%d %d\n", (int)n_ticks, n_returns);
}

int main(int argc, char **argv)
{
	n_values = argc > 2 ? atoi(argv[2]) : 10;
	if (argc > 1 && strcmp(argv[1], "context") == 0)
		by_context();
	else if (argc > 1 && strcmp(argv[1], "hand") == 0)
		by_hand();
	else if (argc > 1 && strcmp(argv[1], "context-in-thread") == 0)
		in_thread(by_context);
	else if (argc > 1 && strcmp(argv[1], "hand-in-thread") == 0)
		in_thread(by_hand);
	else if (argc > 1 && strcmp(argv[1], "many") == 0)
		by_many_contexts();
	else if (argc > 1 && strcmp(argv[1], "deep") == 0)
		deep();
	else if (argc > 1 && strcmp(argv[1], "storm") == 0)
		storm();
	else if (argc > 1 && strcmp(argv[1], "leaps") == 0)
		leap(n_values);
	else
		return 2;
	return 0;
}
