// SPDX-License-Identifier: MIT
// Calls of functions that are not instrumented, in C++: exceptions that fly through them or come from them, virtual
// calls, operator new. The comments are as in plugin-externals.c.
#include "plugin-externals.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

static volatile int sink;

struct Shape {
	virtual ~Shape()
	{
	}
	virtual int area(int n) const = 0;
};

struct Square : Shape {
	int area(int n) const override
	{
		return outside_leaf(n); // => outside_leaf 5
	}
};

struct Named {
	virtual ~Named()
	{
	}
	virtual int name(int n)
	{
		return n;
	}
};

struct Both : Shape, Named {
	int area(int n) const override
	{
		return n * 2 + sink;
	}
	int name(int n) override
	{
		return n + sink;
	}
};

__attribute__((noinline)) static int sum(const Shape &shape, int n)
{
	return shape.area(n); // => Square::area(int)~const 5, => Both::area(int)~const 3
}

static int throws(int n)
{
	if (n == 2)
		throw std::runtime_error("two"); // => std::runtime_error::runtime_error(char~const*) 3
	return outside_leaf(n); // => outside_leaf 7
}

static int catches(int n)
{
	try {
		return outside_calls(throws, n); // => outside_calls 3
	} catch (const std::exception &e) {
		return outside_leaf(-n); // => outside_leaf 2
	}
}

struct Guard {
	~Guard()
	{
		sink = sink + outside_leaf(0); // => outside_leaf 4
	}
};

static int guarded(int n)
{
	Guard guard;

	return outside_calls(throws, n); // => outside_calls 1
}

static int guarded_call()
{
	Guard guard;

	if (std::abs(std::rand()) < 0) // => rand 3
		std::abort();
	return outside_leaf(7); // => outside_leaf 3
}

int main(int argc, char **)
{
	Square square;
	Both both;
	int x = 0;

	for (int i = 0; i < 5; i++)
		x += sum(square, i);
	for (int i = 0; i < 3; i++)
		x += sum(both, i);
	x += catches(1) + catches(4) + catches(5);
	try {
		x += guarded(3);
	} catch (const std::runtime_error &e) {
		x += std::puts(e.what()); // => puts 1, => * 1
	}
	for (int i = 0; i < 3; i++)
		x += guarded_call();
	int *volatile one = new int(argc); // => operator~new(unsigned~long) 1
	delete one;                        // => operator~delete(void*,~unsigned~long) 1
	std::vector<int> numbers(10, x);
	std::sort(numbers.begin(), numbers.end(), [](int a, int b) { return a < b; });
	std::printf("%d %zu\n", x, numbers.size()); // => printf 1
	return 0;
}
