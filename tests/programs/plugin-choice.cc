// SPDX-License-Identifier: MIT
// A function for each reason of plugin/reasons.def not to be instrumented, and one for none. main() calls all that can be
// called, so that none is dropped.
#include <plugin-choice.h>

namespace shop
{
__attribute__((noinline)) int total(int x)
{
	return x + 1;
}

__attribute__((noinline)) int total_of_all(int x)
{
	return shop::total(x) + 1;
}

static int before = total(1);
}

__attribute__((no_instrument_function)) static int with_attribute(int x)
{
	return x + 1;
}

extern "C" __attribute__((naked)) int without_frame()
{
	__asm__("mov $42, %eax\n\tret");
}

__attribute__((interrupt, target("general-regs-only"))) void on_interrupt(void *)
{
}

static int chosen_one(int x)
{
	return x + 1;
}

extern "C" {
static int (*resolve())(int)
{
	return chosen_one;
}
}
int chosen(int x) __attribute__((ifunc("resolve")));

extern inline __attribute__((gnu_inline, always_inline)) int only_inline(int x)
{
	return x + 1;
}

DEFINE_BY_MACRO(by)

int main()
{
	return with_attribute(1) + without_frame() + chosen(1) + only_inline(1) + by_macro(1) + of_the_system(1) +
		       shop::total_of_all(1) + shop::before !=
	       58;
}
