/* SPDX-License-Identifier: MIT */
/* Causes page faults and context switches, and says how many: of each function the counts as getrusage() gives them within it, and
 * around the call of it. What the profile says lies in between, whatever else the machine does.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#define N_PAGES 500
#define PAGE 4096
#define N_NAPS 25

struct counts {
	long faults, switches;
};

static struct counts count(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (struct counts){usage.ru_minflt + usage.ru_majflt, usage.ru_nvcsw + usage.ru_nivcsw};
}

static struct counts since(struct counts before)
{
	struct counts now = count();

	return (struct counts){now.faults - before.faults, now.switches - before.switches};
}

static struct counts touch(volatile char *memory)
{
	struct counts before = count();

	for (int i = 0; i < N_PAGES; i++)
		memory[i * PAGE] = 1;
	return since(before);
}

static struct counts nap(void)
{
	const struct timespec moment = {0, 100000};
	struct counts before = count();

	for (int i = 0; i < N_NAPS; i++)
		nanosleep(&moment, NULL);
	return since(before);
}

int main(void)
{
	char *memory = mmap(NULL, N_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct counts before, inside, outside;

	if (memory == MAP_FAILED)
		return 1;
	madvise(memory, N_PAGES * PAGE, MADV_NOHUGEPAGE);
	before = count();
	inside = touch(memory);
	outside = since(before);
	printf("touch %ld %ld\n", inside.faults, outside.faults);
	before = count();
	inside = nap();
	outside = since(before);
	printf("nap %ld %ld\n", inside.switches, outside.switches);
	return 0;
}
