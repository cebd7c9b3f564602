/* SPDX-License-Identifier: MIT */
/* For plugin-choice.cc, which finds it in a directory of system headers. */
#define DEFINE_BY_MACRO(name) static int name##_macro(int x) { return x + 1; }

static inline int of_the_system(int x)
{
	return x + 1;
}
