-- SPDX-License-Identifier: GPL-3.0-or-later
-- Run by the sqlite3 shell on an empty file: pager, journal, B-trees, planner, virtual machine, JSON, windows, triggers.
PRAGMA page_size = 1024;
PRAGMA cache_size = 20;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, shelf INTEGER);
CREATE TABLE shelf (id INTEGER PRIMARY KEY, label TEXT UNIQUE);
CREATE TABLE log (what TEXT, id INTEGER);
CREATE TRIGGER item_log AFTER UPDATE ON item BEGIN INSERT INTO log VALUES ('update', new.id); END;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO shelf SELECT i, 'shelf ' || i FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
	INSERT INTO item SELECT i, printf('item %05d', i * 7919 % 4001), i % 97 * 1.25, i % 50 + 1 FROM n;
COMMIT;
CREATE INDEX item_name ON item (name);
CREATE INDEX item_shelf ON item (shelf, price DESC);
ANALYZE;
SELECT count(*), sum(price), min(name), max(name) FROM item;
SELECT label, count(*), avg(price) FROM item JOIN shelf ON shelf.id = item.shelf GROUP BY label HAVING count(*) > 5 ORDER BY 3 DESC, 1 LIMIT 5;
SELECT id, rank() OVER (PARTITION BY shelf ORDER BY price), lag(name) OVER (ORDER BY id) FROM item WHERE id < 20;
SELECT name FROM item WHERE name LIKE '%99%' AND price BETWEEN 10 AND 100 ORDER BY price, name LIMIT 10;
EXPLAIN QUERY PLAN SELECT * FROM item WHERE shelf = 3 AND price > 5;
UPDATE item SET price = price * 2 WHERE shelf IN (SELECT id FROM shelf WHERE label GLOB '*1*');
DELETE FROM item WHERE id % 3 = 0;
BEGIN;
DELETE FROM item;
ROLLBACK;
SAVEPOINT a;
INSERT INTO item VALUES (10001, 'ten', 1, 1);
ROLLBACK TO a;
RELEASE a;
SELECT count(*) FROM log;
SELECT json_extract('{"a": [1, 2, {"b": 3}]}', '$.a[2].b'), json_group_array(id) FROM (SELECT id FROM shelf LIMIT 5);
SELECT a.id FROM item a LEFT JOIN item b ON b.id = a.id + 1 WHERE b.id IS NULL ORDER BY a.id LIMIT 5;
SELECT x FROM (SELECT id AS x FROM shelf EXCEPT SELECT shelf FROM item WHERE price > 200 UNION SELECT 7) ORDER BY x DESC LIMIT 4;
-- Errors: a conflict, a syntax error, an unknown table.
INSERT INTO shelf VALUES (1, 'again');
INSERT OR REPLACE INTO shelf VALUES (1, 'replaced');
SELEKT 1;
SELECT * FROM nothing;
CREATE VIEW dear AS SELECT * FROM item WHERE price > 100;
SELECT count(*) FROM dear;
ALTER TABLE item ADD COLUMN note TEXT DEFAULT 'none';
ALTER TABLE item RENAME COLUMN note TO remark;
SELECT DISTINCT remark FROM item;
PRAGMA integrity_check;
VACUUM;
PRAGMA journal_mode = WAL;
INSERT INTO log SELECT 'wal', id FROM item LIMIT 500;
SELECT quote(zeroblob(3)), hex('abc'), replace('aXbX', 'X', '-'), round(2.567, 2), upper(substr('hello', 2)), strftime('%Y', '2001-02-03');
.mode csv
SELECT * FROM shelf WHERE id < 4;
.schema item
