/* SPDX-License-Identifier: GPL-3.0-or-later */
/* W4, a web application: a page of 2,001 calls of its own functions, which take some 14 us, with
 * libmicrohttpd.
 *
 *     handler --port=N       serves until it is told to end
 *     handler --loop=N       makes N pages without a network, prints nanoseconds per page
 *
 * The calls: answer twice (libmicrohttpd asks with the head, then for the answer), render_page, footer with
 * 47 (a text of 46 characters), and 50 rows of 39: render_row, load_product, 2 product_price with
 * apply_discount, stock_level, 4 scramble, 3 numbers (append_number, append), and 2 texts of 20 characters in
 * all (append_text, append_escaped).
 */
#include "report.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define N_ROWS 50
#define PAGE_BYTES 16384

struct page {
	char text[PAGE_BYTES];
	size_t size;
};

struct product {
	uint32_t id, seed;
	char name[14], maker[8];
};

static void append(struct page *page, const char *text, size_t size)
{
	memcpy(page->text + page->size, text, size);
	page->size += size;
}

static void append_escaped(struct page *page, char c)
{
	switch (c) {
	case '<':
		memcpy(page->text + page->size, "&lt;", 4);
		page->size += 4;
		break;
	case '&':
		memcpy(page->text + page->size, "&amp;", 5);
		page->size += 5;
		break;
	default:
		page->text[page->size++] = c;
	}
}

static void append_text(struct page *page, const char *text)
{
	for (; *text != '\0'; text++)
		append_escaped(page, *text);
}

static void append_number(struct page *page, uint32_t number)
{
	char digits[10];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	append(page, digits + n, sizeof(digits) - n);
}

static uint32_t scramble(uint32_t seed, int rounds)
{
	while (rounds-- > 0) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
	}
	return seed;
}

static void load_product(struct product *product, uint32_t id)
{
	product->id = id;
	product->seed = scramble(id * 2654435761u + 1, 60);
	for (int i = 0; i < 13; i++)
		product->name[i] = (char)('a' + (product->seed >> i) % 26);
	product->name[7] = '&';
	product->name[13] = '\0';
	memcpy(product->maker, "Acme<1>", 8);
}

static uint32_t apply_discount(uint32_t price, uint32_t quantity)
{
	return price - (price * quantity / 200 + price % 7);
}

static uint32_t product_price(const struct product *product, uint32_t quantity)
{
	return apply_discount(scramble(product->seed, 32) % 100000 + 500, quantity);
}

static uint32_t stock_level(const struct product *product)
{
	return scramble(product->seed, 50) % 1000;
}

static void render_row(struct page *page, uint32_t id)
{
	struct product product;

	load_product(&product, id);
	append_text(page, product.name);
	append_text(page, product.maker);
	for (uint32_t quantity = 1; quantity <= 2; quantity++)
		append_number(page, product_price(&product, quantity * 5));
	append_number(page, stock_level(&product));
}

static void footer(struct page *page)
{
	append_text(page, "Prices as of today; two years of warranty.  --");
}

static void render_page(struct page *page)
{
	page->size = 0;
	for (uint32_t id = 0; id < N_ROWS; id++)
		render_row(page, id);
	footer(page);
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload_data,
			      size_t *upload_data_size, void **request)
{
	static int is_begun;
	struct MHD_Response *response;
	struct page *page;
	enum MHD_Result result;

	(void)cls, (void)url, (void)method, (void)version, (void)upload_data, (void)upload_data_size;
	if (*request == NULL) {
		*request = &is_begun;
		return MHD_YES;
	}
	page = malloc(sizeof(*page));
	if (page == NULL)
		return MHD_NO;
	render_page(page);
	response = MHD_create_response_from_buffer(page->size, page->text, MHD_RESPMEM_MUST_COPY);
	free(page);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static NOT_PROFILED int loop(int times)
{
	static struct page page;
	double start = cpu_ns();

	for (int i = 0; i < times; i++)
		render_page(&page);
	report("page_ns", (cpu_ns() - start) / times);
	report("page_bytes", (double)page.size);
	report_cpu();
	return 0;
}

static NOT_PROFILED int serve(uint16_t port)
{
	struct MHD_Daemon *daemon;
	sigset_t signals;
	int which;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, port, NULL, NULL, answer,
				  NULL, MHD_OPTION_END);
	if (daemon == NULL)
		return 1;
	sigwait(&signals, &which);
	MHD_stop_daemon(daemon);
	return 0;
}

NOT_PROFILED int main(int argc, char **argv)
{
	if (argc == 2 && strncmp(argv[1], "--loop=", 7) == 0)
		return loop(atoi(argv[1] + 7));
	if (argc == 2 && strncmp(argv[1], "--port=", 7) == 0)
		return serve((uint16_t)atoi(argv[1] + 7));
	return 2;
}
