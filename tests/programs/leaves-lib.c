/* SPDX-License-Identifier: MIT */
/* The shared objects of leaves.c. */
int other_linked(int x);
int other_opened(int x);
void call_back(void (*function)(int), int n);

int other_linked(int x)
{
	return x + 1;
}

int other_opened(int x)
{
	return x + 2;
}

void call_back(void (*function)(int), int n)
{
	for (int i = 0; i < n; i++)
		function(i);
}
