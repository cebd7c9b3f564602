/* SPDX-License-Identifier: MIT */
/* Functions that must not be hooked, or of which it is easy to get the hook
 * wrong: an ifunc resolver runs before the program is relocated, a naked function
 * has no frame, an interrupt handler's stack is not an ordinary one; a function
 * that does not return, tail calls, thread-local storage, names given by asm. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

static volatile int sink;

static int chosen_one(int x)
{
	return x + 1;
}

static int (*resolve(void))(int)
{
	return chosen_one;
}
int chosen(int x) __attribute__((ifunc("resolve")));

__attribute__((naked)) int bare(void)
{
	__asm__("mov $42, %eax\n\tret");
}

__attribute__((interrupt, target("general-regs-only"))) void on_interrupt(void *frame)
{
	(void)frame;
	sink++;
}

int renamed(int x) __asm__("a.name.of.its.own");
int renamed(int x)
{
	return x + sink;
}

extern inline __attribute__((gnu_inline, always_inline)) int gnu_inlined(int x)
{
	return renamed(x) + 1;
}

static _Thread_local int per_thread;

static int tail(int n, int total)
{
	per_thread++;
	return n == 0 ? total : tail(n - 1, total + n);
}

static void *thread(void *data)
{
	(void)data;
	return tail(9, 0) == 45 ? NULL : &per_thread;
}

static void on_signal(int signal)
{
	sink += signal;
	chosen(1);
}

__attribute__((noreturn)) static void leave(int status)
{
	exit(status);
}

int main(void)
{
	pthread_t t;
	void *result;

	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, &result);
	leave(result != NULL || chosen(1) != 2 || bare() != 42 || gnu_inlined(1) != renamed(1) + 1);
}
