/* SPDX-License-Identifier: MIT */
/* The pages for buying: cart, check-out, order. See pages.h. After each POST
 * the browser is sent on, so that going back or reloading buys nothing twice. */
#include "cart_view.h"
#include "pages.h"

#include <string.h>

#define ORDER_FIELD_MAX 200

/* ---- The cart -------------------------------------------------------------- */

int page_cart(struct request *request, struct reply *reply)
{
	struct json_value *page = page_begin(request, "Your cart"), *view;

	if (!page || cart_view(request, &view) != 0) {
		json_free(page);
		return -1;
	}
	json_merge(page, view);
	return page_end(reply, MHD_HTTP_OK, "cart.html", page);
}

int page_cart_add(struct request *request, struct reply *reply)
{
	int64_t product = parse_number(request_form(request, "product"), 1, INT32_MAX);
	int64_t quantity = parse_number(request_form(request, "quantity"), 1, QUANTITY_MAX);
	int status;

	if (product < 0 || quantity < 0)
		return MHD_HTTP_BAD_REQUEST;
	status = cart_add(request, reply, product, (int)quantity);
	return status == MHD_HTTP_OK ? page_redirect(reply, "/cart") : status;
}

int page_cart_change(struct request *request, struct reply *reply)
{
	int64_t product = parse_number(request_form(request, "product"), 1, INT32_MAX);
	int64_t quantity = parse_number(request_form(request, "quantity"), 0, QUANTITY_MAX);

	if (product < 0 || quantity < 0)
		return MHD_HTTP_BAD_REQUEST;
	carts_set(request->carts, request->session, product, (int)quantity);
	return page_redirect(reply, "/cart");
}

/* ---- Buying ---------------------------------------------------------------- */

static int show_checkout(struct request *request, struct reply *reply, int status, const char *problem)
{
	struct json_value *page = page_begin(request, "Check-out"), *view;

	if (!page || cart_view(request, &view) != 0) {
		json_free(page);
		return -1;
	}
	json_merge(page, view);
	json_set_string(page, "problem", problem);
	json_set_string(page, "customer", request_form(request, "customer"));
	json_set_string(page, "address", request_form(request, "address"));
	return page_end(reply, status, "checkout.html", page);
}

int page_checkout(struct request *request, struct reply *reply)
{
	return show_checkout(request, reply, MHD_HTTP_OK, "");
}

static bool is_filled_in(const char *field)
{
	size_t size = strlen(field);

	return size > 0 && size <= ORDER_FIELD_MAX;
}

int page_place_order(struct request *request, struct reply *reply)
{
	const char *customer = request_form(request, "customer"), *address = request_form(request, "address");
	struct cart cart;
	int64_t order;
	int error;

	if (!is_filled_in(customer) || !is_filled_in(address))
		return show_checkout(request, reply, MHD_HTTP_BAD_REQUEST,
				     "Please give us a name and an address.");
	carts_take(request->carts, request->session, &cart);
	if (cart.n_lines == 0)
		return page_redirect(reply, "/cart");

	error = store_place_order(request->store, customer, address, cart.lines, cart.n_lines, &order);
	if (error || order == 0) {
		for (size_t i = 0; i < cart.n_lines; i++)
			carts_add(request->carts, request->session, cart.lines[i].product,
				  cart.lines[i].quantity);
		if (error)
			return -1;
		return show_checkout(request, reply, MHD_HTTP_CONFLICT, "We don't have that many in stock.");
	}
	carts_set_last_order(request->carts, request->session, order);
	return page_redirect(reply, "/order");
}

/* The last order of this session: nobody sees another's. */
int page_order(struct request *request, struct reply *reply)
{
	struct json_value *page, *order = NULL;
	struct cart cart;

	carts_load(request->carts, request->session, &cart);
	if (cart.last_order != 0 && store_order(request->store, cart.last_order, &order) != 0)
		return -1;
	if (!order)
		return MHD_HTTP_NOT_FOUND;
	page = page_begin(request, "Thank you");
	if (!page) {
		json_free(order);
		return -1;
	}
	page_set_price(order, "total", json_get_integer(order, "total_cents", 0));
	json_merge(page, order);
	return page_end(reply, MHD_HTTP_OK, "order.html", page);
}
