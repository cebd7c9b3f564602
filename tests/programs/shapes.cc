// SPDX-License-Identifier: MIT
// C++ for compilers without our plugin: names come from the symbol table, 12 calls of shapes::Circle::area().
#include <cstdio>
#include <memory>
#include <vector>

namespace shapes
{
struct Shape {
	virtual ~Shape() = default;
	virtual double area() const = 0;
};

struct Circle : Shape {
	double radius;
	explicit Circle(double r) : radius(r)
	{
	}
	double area() const override;
};

__attribute__((noinline)) double Circle::area() const
{
	return 3.14 * radius * radius;
}
} // namespace shapes

int main()
{
	std::vector<std::unique_ptr<shapes::Shape>> all;
	double sum = 0;

	for (int i = 0; i < 12; i++)
		all.push_back(std::make_unique<shapes::Circle>(i));
	for (const auto &shape : all)
		sum += shape->area();
	std::printf("%.0f\n", sum);
}
