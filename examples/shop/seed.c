/* SPDX-License-Identifier: MIT */
/* The first contents of the shop's database: see seed.h. Everything is chosen
 * by a random number generator that always starts from the same number, so
 * that every run of the shop does the same work. */
#include "seed.h"
#include "buffer.h"

#include <stdarg.h>
#include <stdint.h>

#define N_PRODUCTS_PER_CATEGORY 25
#define N_REVIEWS_MAX 20 /* of one product */
#define N_ORDERS 400
#define N_LINES_MAX 4   /* of one order */
#define N_SENTENCES 100 /* of a description */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* review has no index on product_id: a part of slow spot 1 (see pages.c). */
static const char schema[] =
    "CREATE TABLE category (id INTEGER PRIMARY KEY, slug TEXT UNIQUE NOT NULL, name TEXT NOT NULL);"
    "CREATE TABLE product (id INTEGER PRIMARY KEY, category_id INTEGER NOT NULL REFERENCES category,"
    "  name TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL, description TEXT NOT NULL);"
    "CREATE INDEX product_by_category ON product (category_id);"
    "CREATE TABLE review (id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL REFERENCES product,"
    "  author TEXT NOT NULL, stars INTEGER NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, address TEXT NOT NULL);"
    "CREATE TABLE order_line (order_id INTEGER NOT NULL REFERENCES orders, product_id INTEGER NOT NULL"
    "  REFERENCES product, quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL);"
    "CREATE INDEX order_line_by_order ON order_line (order_id);"
    "CREATE INDEX order_line_by_product ON order_line (product_id);"
    "PRAGMA user_version = 1;";

static const struct {
	const char *slug, *name;
	const char *things[5];
} categories[] = {
    {"books", "Books", {"Atlas", "Cookbook", "Dictionary", "Novel", "Field Guide"}},
    {"coffee", "Coffee & Tea", {"Espresso Cup", "Hand Mill", "Kettle", "Teapot", "Tea Tin"}},
    {"garden", "Garden", {"Dibber", "Hose", "Planter", "Rake", "Watering Can"}},
    {"kitchen", "Kitchen", {"Bread Knife", "Cutting Board", "Frying Pan", "Ladle", "Scale"}},
    {"lighting", "Lighting", {"Bicycle Lamp", "Desk Lamp", "Lantern", "Night Light", "Torch"}},
    {"music", "Music", {"Cymbal", "Metronome", "Music Stand", "Tuning Fork", "Ukulele"}},
    {"stationery", "Stationery", {"Fountain Pen", "Notebook", "Pencil Case", "Ruler", "Stapler"}},
    {"travel", "Travel", {"Backpack", "Compass", "Hammock", "Rain Cape", "Suitcase"}},
};

static const char *const adjectives[] = {"Classic", "Compact", "Everyday", "Little", "Sturdy"};

static const char *const sentences[] = {
    "Made to be used every day, and to be mended when it breaks. ",
    "The manufacturer calls it \"the last one you will buy\", and we have no reason to doubt it. ",
    "It comes in a plain box without a single gram of plastic. ",
    "Wash & dry by hand; don't leave it in the sun. ",
    "We have used ours for six years: the colour has faded <em>slightly</em>. ",
    "Every piece is checked by two people before it leaves the workshop. ",
    "Weighs less than a loaf of bread and takes up less room. ",
    "Spare parts are kept in stock for ten years. ",
    "A good present for people who have everything & need nothing. ",
    "Not suitable for children under three years, nor for the impatient. ",
};

static const char *const authors[] = {"Ada",   "Barbara", "Dennis",  "Edsger",
				      "Grace", "Ken",     "Niklaus", "Tony"};

/* ---- Random choices -------------------------------------------------------- */

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % limit;
}

/* Most customers are content, some are not. */
static int64_t random_stars(uint64_t *state)
{
	static const int64_t stars[] = {5, 5, 5, 4, 4, 4, 3, 3, 2, 1};

	return stars[random_below(state, COUNT(stars))];
}

static void append_sentences(uint64_t *state, struct buffer *text, uint32_t n_sentences)
{
	for (uint32_t i = 0; i < n_sentences; i++)
		buffer_puts(text, sentences[random_below(state, COUNT(sentences))]);
}

/* ---- Rows ------------------------------------------------------------------ */

/* Inserts one row; a letter in `types` for each value: i (int64_t) or s (const char *). */
static int insert(sqlite3_stmt *statement, const char *types, ...)
{
	va_list values;
	int result;

	va_start(values, types);
	for (int i = 1; *types; types++, i++) {
		if (*types == 'i')
			sqlite3_bind_int64(statement, i, va_arg(values, int64_t));
		else
			sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
	}
	va_end(values);
	result = sqlite3_step(statement);
	sqlite3_reset(statement);
	return result == SQLITE_DONE ? 0 : -1;
}

static int insert_categories(sqlite3_stmt *statement)
{
	int error = 0;

	for (size_t i = 0; i < COUNT(categories) && !error; i++)
		error = insert(statement, "iss", (int64_t)i + 1, categories[i].slug, categories[i].name);
	return error;
}

static int insert_products(sqlite3_stmt *statement)
{
	uint64_t state = 1;
	int error = 0;

	for (size_t i = 0; i < COUNT(categories) * N_PRODUCTS_PER_CATEGORY && !error; i++) {
		size_t category = i / N_PRODUCTS_PER_CATEGORY, kind = i % N_PRODUCTS_PER_CATEGORY;
		int64_t price_cents = 295 + 50 * (int64_t)random_below(&state, 200);
		int64_t stock = 1000 + random_below(&state, 1000);
		struct buffer name = {0}, description = {0};

		buffer_printf(&name, "%s %s", adjectives[kind / 5], categories[category].things[kind % 5]);
		append_sentences(&state, &description, N_SENTENCES);
		error = insert(statement, "iisiis", (int64_t)i + 1, (int64_t)category + 1, name.text,
			       price_cents, stock, description.text);
		buffer_free(&name);
		buffer_free(&description);
	}
	return error;
}

static int insert_reviews(sqlite3_stmt *statement)
{
	size_t n_products = COUNT(categories) * N_PRODUCTS_PER_CATEGORY;
	uint64_t state = 2;
	int error = 0;

	for (size_t i = 0; i < n_products * N_REVIEWS_MAX && !error; i++) {
		const char *author = authors[random_below(&state, COUNT(authors))];
		int64_t stars = random_stars(&state);
		struct buffer text = {0};

		append_sentences(&state, &text, 1 + random_below(&state, 4));
		/* Not every product has the full number; the first of each category has. */
		if (i / N_REVIEWS_MAX % N_PRODUCTS_PER_CATEGORY == 0 || random_below(&state, 3) > 0)
			error = insert(statement, "isis", (int64_t)(i / N_REVIEWS_MAX) + 1, author, stars,
				       text.text);
		buffer_free(&text);
	}
	return error;
}

static int insert_orders(sqlite3_stmt *order_statement, sqlite3_stmt *line_statement)
{
	uint32_t n_products = COUNT(categories) * N_PRODUCTS_PER_CATEGORY;
	uint64_t state = 3;
	int error = 0;

	for (int64_t order = 1; order <= N_ORDERS && !error; order++) {
		uint32_t n_lines = 1 + random_below(&state, N_LINES_MAX);

		error = insert(order_statement, "iss", order, authors[random_below(&state, COUNT(authors))],
			       "1 Harbour Street");
		for (uint32_t i = 0; i < n_lines && !error; i++) {
			int64_t product = 1 + random_below(&state, n_products);
			int64_t quantity = 1 + random_below(&state, 3);

			error = insert(line_statement, "iii", order, quantity, product);
		}
	}
	return error;
}

/* ---- All of it ------------------------------------------------------------- */

static const char *const insert_sql[] = {
    "INSERT INTO category VALUES (?, ?, ?)",
    "INSERT INTO product VALUES (?, ?, ?, ?, ?, ?)",
    "INSERT INTO review (product_id, author, stars, text) VALUES (?, ?, ?, ?)",
    "INSERT INTO orders VALUES (?, ?, ?)",
    "INSERT INTO order_line (order_id, quantity, product_id, price_cents) "
    "SELECT ?, ?, id, price_cents FROM product WHERE id = ?",
};

static int insert_all(sqlite3 *database)
{
	sqlite3_stmt *statements[COUNT(insert_sql)] = {NULL};
	int error = 0;

	for (size_t i = 0; i < COUNT(insert_sql) && !error; i++)
		error = sqlite3_prepare_v2(database, insert_sql[i], -1, &statements[i], NULL);
	if (!error)
		error = insert_categories(statements[0]);
	if (!error)
		error = insert_products(statements[1]);
	if (!error)
		error = insert_reviews(statements[2]);
	if (!error)
		error = insert_orders(statements[3], statements[4]);
	for (size_t i = 0; i < COUNT(insert_sql); i++)
		sqlite3_finalize(statements[i]);
	return error ? -1 : 0;
}

static int schema_version(sqlite3 *database)
{
	sqlite3_stmt *statement = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return version;
}

int seed_database(sqlite3 *database)
{
	int version = schema_version(database);

	if (version != 0)
		return version == 1 ? 0 : -1;
	if (sqlite3_exec(database, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_exec(database, schema, NULL, NULL, NULL) != SQLITE_OK || insert_all(database) != 0)
		return -1; /* closing the connection takes all of it back */
	return sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}
