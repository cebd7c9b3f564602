// SPDX-License-Identifier: MIT
// What C++ allocates: operator new of one and of many, with alignment and without exceptions, and a container's, which goes
// through functions of headers. tests/e2e/events/allocations-are-exact knows the bytes.
#include <new>
#include <vector>

struct alignas(64) wide {
	char bytes[128];
};

static void *volatile sink;

__attribute__((noinline)) static void by_new()
{
	char *one = new char(1), *many = new char[50];
	wide *aligned = new wide;
	char *quiet = new (std::nothrow) char[9];

	sink = one;
	sink = many;
	sink = aligned;
	sink = quiet;
	delete one;
	delete[] many;
	delete aligned;
	delete[] quiet;
}

__attribute__((noinline)) static void by_container()
{
	std::vector<int> numbers;

	numbers.reserve(1000);
	sink = numbers.data();
}

int main()
{
	by_new();
	by_container();
	return 0;
}
