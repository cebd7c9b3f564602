/* SPDX-License-Identifier: GPL-3.0-or-later */
/* W3, a large program of others: 100,000 inserts into and selects from an SQLite database in memory, all of
 * SQLite (its amalgamation) compiled with the same flags.
 */
#include "report.h"

#include <sqlite3.h>

#define N_ROWS 100000

static void check(sqlite3 *db, int code, int wanted)
{
	if (code != wanted) {
		fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
		_Exit(1);
	}
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;

	check(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	return statement;
}

static void insert(sqlite3 *db, sqlite3_stmt *statement, int i)
{
	char name[32];

	snprintf(name, sizeof(name), "product %d", i * 7919 % N_ROWS);
	sqlite3_bind_int(statement, 1, i);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_double(statement, 3, i * 0.25);
	check(db, sqlite3_step(statement), SQLITE_DONE);
	sqlite3_reset(statement);
}

static double select_price(sqlite3 *db, sqlite3_stmt *statement, int i)
{
	double price;

	sqlite3_bind_int(statement, 1, i * 7919 % N_ROWS);
	check(db, sqlite3_step(statement), SQLITE_ROW);
	price = sqlite3_column_double(statement, 1) + (double)sqlite3_column_text(statement, 0)[0];
	sqlite3_reset(statement);
	return price;
}

int main(void)
{
	sqlite3_stmt *statement;
	double sum = 0;
	sqlite3 *db;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		return 1;
	check(db,
	      sqlite3_exec(db, "CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT, price REAL); BEGIN",
			   NULL, NULL, NULL),
	      SQLITE_OK);
	statement = prepare(db, "INSERT INTO product VALUES (?, ?, ?)");
	for (int i = 0; i < N_ROWS; i++)
		insert(db, statement, i);
	sqlite3_finalize(statement);
	check(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	statement = prepare(db, "SELECT name, price FROM product WHERE id = ?");
	for (int i = 0; i < N_ROWS; i++)
		sum += select_price(db, statement, i);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	report("sum", sum);
	report_cpu();
	return 0;
}
