/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the benchmark programs tell their figures: lines "name value" on the standard output, read by
 * harness/programs.py. None of it is instrumented.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>
#include <time.h>

#define NOT_PROFILED __attribute__((no_instrument_function, noinline, unused))

/* User and system time of all threads so far, from the start of the process. */
static NOT_PROFILED double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static NOT_PROFILED void report(const char *name, double value)
{
	printf("%s %.4f\n", name, value);
}

/* Time for which the main thread could have run, but others did. */
static NOT_PROFILED double waited_ns(void)
{
	unsigned long long ran_ns, waited_ns = 0;
	FILE *file = fopen("/proc/self/schedstat", "r");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &ran_ns, &waited_ns) != 2)
		waited_ns = 0;
	fclose(file);
	return (double)waited_ns;
}

/* The last thing main does: what the process took, its start included. */
static NOT_PROFILED void report_cpu(void)
{
	report("cpu_s", cpu_ns() / 1e9);
	report("waited_s", waited_ns() / 1e9);
}

#endif
