// SPDX-License-Identifier: MIT
/* Requests in C++: marked by an object, and calls that end by an exception. */
#include <runprofile.h>

#include <cstring>

namespace shop
{

static volatile int sink;

static __attribute__((noinline)) void leaf()
{
	sink = sink + 1;
}

class Request
{
      public:
	explicit Request(const char *name) : request(runprofile_begin(name))
	{
	}
	~Request()
	{
		runprofile_end(request);
	}

      private:
	struct runprofile_request *request;
};

struct Queue {
	__attribute__((noinline)) void take(int n)
	{
		for (int i = 0; i < n; i++)
			leaf();
		if (n % 2)
			throw n;
	}
};

static void marked(int n)
{
	Request request("marked");

	for (int i = 0; i < n; i++)
		leaf();
	if (n % 2)
		throw n;
}

} // namespace shop

int main(int argc, char **argv)
{
	shop::Queue queue;

	for (int i = 1; i <= 4; i++) {
		try {
			if (argc > 1 && strcmp(argv[1], "marked") == 0)
				shop::marked(i);
			else
				queue.take(i);
		} catch (int) {
			shop::leaf();
		}
	}
	return 0;
}
