/* SPDX-License-Identifier: MIT */
/* Opened and closed by flow.c, again and again; each time it has a constructor and a destructor to run. */
static volatile int sink;

static __attribute__((noinline)) void opened_leaf(void)
{
	sink++;
}

static __attribute__((constructor)) void opened(void)
{
	opened_leaf();
}

static __attribute__((destructor)) void closed(void)
{
	opened_leaf();
}

void opened_entry(void);
void opened_entry(void)
{
	opened_leaf();
	opened_leaf();
}
