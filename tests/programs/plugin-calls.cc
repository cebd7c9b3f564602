// SPDX-License-Identifier: MIT
// The shapes a call takes in C++. Each line that makes calls says so in a comment, "=> CALLEE COUNT" (blanks in
// a name written as '~'), which is what the test compares the recorded call sites with.
#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>
#include "plugin-calls.h"

static volatile int sink;

namespace shop
{

static int leaf(int x)
{
	return sink + x;
}

class Item
{
public:
	explicit Item(int price) : price_(leaf(price)) // => shop::leaf(int) 7
	{
	}
	virtual ~Item()
	{
		sink = sink + leaf(0); // => shop::leaf(int) 7
	}
	virtual int total(int n) const
	{
		return price_ * leaf(n); // => shop::leaf(int) 3
	}

protected:
	int price_;
};

class Cheap : public Item
{
public:
	Cheap() : Item(1) // => shop::Item::Item(int) 4
	{
	}
	int total(int n) const override
	{
		return Item::total(n) / 2; // => shop::Item::total(int)~const 1
	}
};

class Guard
{
public:
	Guard()
	{
		sink = sink + 1;
	}
	~Guard()
	{
		sink = sink - 1;
	}
};

template <typename T> static T twice(T x)
{
	return x + static_cast<T>(leaf(static_cast<int>(x))); // => shop::leaf(int) 3
}

template <typename F> static int apply(F f, int x)
{
	return f(x); // => use_lambdas(int)::{lambda(int)#1}::operator()(int)~const 2, => use_lambdas(int)::{lambda(int)#2}::operator()(int)~const 1
}

struct Vector {
	int x, y;
	Vector operator+(const Vector &other) const
	{
		return Vector{ leaf(x) + other.x, y + other.y }; // => shop::leaf(int) 2
	}
};

} // namespace shop

int header_leaf(int x)
{
	return x ^ sink;
}

static int before_main = shop::twice(3); // => shop::twice<int>(int) 1

static int use_lambdas(int x)
{
	auto first = [&](int y) { return shop::leaf(x + y); }; // => shop::leaf(int) 2
	int r = shop::apply(first, 1) + shop::apply(first, 2);

	return r + shop::apply([](int y) { return y * 2 + sink; }, 3);
}

static void thrower(int n)
{
	shop::Guard guard; // => shop::Guard::Guard() 12

	if (n == 0)
		throw std::runtime_error("end");
	thrower(n - 1); // => thrower(int) 9
} // => shop::Guard::~Guard() 12

static int catcher(int n)
{
	try {
		thrower(n); // => thrower(int) 3
	} catch (const std::exception &e) {
		return shop::leaf(1); // => shop::leaf(int) 3
	}
	return 0;
}

static int never_throws(int n) noexcept
{
	return catcher(n); // => catcher(int) 3
}

static int once()
{
	static int value = shop::leaf(4); // => shop::leaf(int) 1

	return value;
}

int main()
{
	int x = before_main;

	for (int i = 0; i < 10; i++)
		x += header_inline(i); // => header_inline(int) 10
	{
		shop::Item item(3);   // => shop::Item::Item(int) 1
		shop::Item *items[4];

		x += item.total(2); // => shop::Item::total(int)~const 1
		for (int i = 0; i < 4; i++)
			items[i] = i % 2 ? new shop::Cheap // => shop::Cheap::Cheap() 2
			                 : new shop::Item(i); // => shop::Item::Item(int) 2
		x += items[0]->total(1); // => shop::Item::total(int)~const 1
		x += items[1]->total(1); // => shop::Cheap::total(int)~const 1
		for (int i = 0; i < 4; i++)
			delete items[i];
	}
	shop::Cheap cheap[2]; // => shop::Cheap::Cheap() 2
	x += shop::twice(1) + static_cast<int>(shop::twice(2.5)); // => shop::twice<int>(int) 1, => shop::twice<double>(double) 1
	x += use_lambdas(2);                                       // => use_lambdas(int) 1
	shop::Vector v = shop::Vector{ 1, 2 } + shop::Vector{ 3, 4 }; // => shop::Vector::operator+(shop::Vector~const&)~const 1
	v = v + v;                                                 // => shop::Vector::operator+(shop::Vector~const&)~const 1
	for (int i = 2; i < 5; i++)
		x += never_throws(i); // => never_throws(int) 3
	x += once() + once(); // => once() 2
	std::vector<int> numbers{ 3, 1, 2 };
	std::sort(numbers.begin(), numbers.end(), [](int a, int b) { return a < b; });
	std::string text = "shop";
	std::printf("%d %zu\n", x + v.x + numbers[0], text.size());
	return 0;
}
