/* The database of the live conformance test: NULL wherever the engine can have one, infinities,
 * empty values, dropped constraints, functions and operators of a user that return NULL. */
#ifndef TEST_PROVE_FIXTURE_H
#define TEST_PROVE_FIXTURE_H

static const char *const PROVE_FIXTURE[] = {
    "CREATE EXTENSION vector",
    "CREATE EXTENSION pg_trgm",
    "CREATE EXTENSION citext",
    "CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, email text, born date, joined "
    "timestamptz NOT NULL, boss int, score float8, active bool, nick varchar(20))",
    "INSERT INTO people VALUES (1, 'Ann', 'ann@x', '1990-01-01', '2020-02-03', NULL, 1.5, true, "
    "'a'), (2, 'Bob', NULL, NULL, 'infinity', 1, NULL, NULL, NULL), (3, '', '', '-infinity', "
    "'-infinity', 1, 'NaN', false, ''), (4, 'Dan', 'dan@x', '2001-05-06', '2021-01-01', 2, -0.5, "
    "true, 'd')",
    "CREATE TABLE assets (id int PRIMARY KEY, owner int REFERENCES people, title text NOT NULL, "
    "width int, size int8 NOT NULL, taken timestamptz, added timestamptz NOT NULL DEFAULT now(), "
    "meta jsonb, tags text[] NOT NULL DEFAULT '{}', span int4range NOT NULL DEFAULT 'empty', dur "
    "interval, embedding vector(3), code citext, box4 box, nums int[])",
    "INSERT INTO assets VALUES (1, 1, 'sea', 10, 100, '2020-01-01', 'infinity', '{\"a\": 1, "
    "\"b\": null, \"c\": [1, null]}', '{x,NULL}', '[1,5)', '1 day', '[1,2,3]', 'Ab', "
    "'((0,0),(1,1))', '{1,NULL}'), (2, 1, '', NULL, 0, NULL, '-infinity', NULL, '{}', 'empty', "
    "NULL, NULL, NULL, NULL, NULL), (3, NULL, 'tree', 0, 5, 'infinity', now(), '{}', '{y}', "
    "'(,)', '0', '[0,0,0]', '', '((5,5),(6,6))', '{}'), (4, 2, 'sun', 30, 7, '2021-06-07', "
    "now(), 'null', '{x,y,z}', '[3,)', '-1 mon', '[3,2,1]', 'c', '((0,0),(3,3))', '{3,4}')",
    "CREATE TABLE thumbs (id int PRIMARY KEY, asset int NOT NULL REFERENCES assets, kind text "
    "NOT NULL, path text)",
    "INSERT INTO thumbs VALUES (1, 1, 'small', '/1'), (2, 1, 'large', NULL), (3, 3, 'small', "
    "'/3')",
    "CREATE TABLE nothing (id int PRIMARY KEY, label text NOT NULL, extra text)",
    "CREATE TABLE links (a int, b int, UNIQUE (a, b))",
    "INSERT INTO links VALUES (1, 1), (1, NULL), (NULL, 2), (NULL, NULL)",
    "CREATE TYPE mood AS ENUM ('low', 'high')",
    "CREATE TYPE pair AS (x int, y text)",
    "CREATE TABLE moods (id int PRIMARY KEY, m mood NOT NULL, p pair, q pair NOT NULL)",
    "INSERT INTO moods VALUES (1, 'low', NULL, ROW(NULL, NULL)), (2, 'high', ROW(1, 'a'), ROW(2, "
    "'b'))",
    "CREATE DOMAIN rating AS int NOT NULL",
    "CREATE TABLE rated (id int PRIMARY KEY, r rating)",
    "INSERT INTO rated VALUES (1, 5), (2, (SELECT 5::rating WHERE false))",
    "CREATE TABLE parent (id int NOT NULL, x int NOT NULL, y int NOT NULL)",
    "CREATE TABLE child () INHERITS (parent)",
    "ALTER TABLE child ALTER x DROP NOT NULL",
    "INSERT INTO parent VALUES (1, 1, 1)",
    "INSERT INTO child VALUES (2, NULL, 2)",
    "CREATE TABLE split (id int NOT NULL, k int NOT NULL, v text) PARTITION BY LIST (k)",
    "CREATE TABLE split_1 PARTITION OF split FOR VALUES IN (1)",
    "CREATE TABLE split_2 PARTITION OF split DEFAULT",
    "INSERT INTO split VALUES (1, 1, NULL), (2, 2, 'b')",
    "CREATE TABLE guarded (id int PRIMARY KEY, note text, other text NOT NULL DEFAULT 'o')",
    "INSERT INTO guarded VALUES (1, 'n'), (2, NULL)",
    "CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NULL; RETURN "
    "NEW; END'",
    "CREATE TRIGGER wipe BEFORE UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION wipe()",
    "CREATE VIEW shown AS SELECT id, note FROM guarded WHERE note IS NOT NULL",
    "CREATE VIEW faked AS SELECT id, other FROM guarded",
    "CREATE FUNCTION fake() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.other := NULL; RETURN "
    "NEW; END'",
    "CREATE TRIGGER fake INSTEAD OF INSERT ON faked FOR EACH ROW EXECUTE FUNCTION fake()",
    "CREATE TABLE ruled (id int NOT NULL)",
    "CREATE RULE ruled AS ON INSERT TO ruled DO INSTEAD INSERT INTO links VALUES (NULL, 1) "
    "RETURNING a",
    "CREATE VIEW asset_thumbs AS SELECT a.id, a.title, t.kind, coalesce(a.width, 0) AS width, "
    "count(*) OVER () AS n FROM assets a LEFT JOIN thumbs t ON t.asset = a.id",
    "CREATE VIEW people_count AS SELECT boss, count(*) AS n, max(id) AS top FROM people GROUP BY "
    "boss",
    "CREATE MATERIALIZED VIEW people_names AS SELECT id, name, lower(email) AS email FROM people",
    "CREATE FUNCTION maybe(text) RETURNS text STRICT LANGUAGE sql AS 'SELECT NULL::text'",
    "CREATE FUNCTION lower(mood) RETURNS text STRICT LANGUAGE sql AS 'SELECT NULL::text'",
    "CREATE FUNCTION some_people() RETURNS SETOF people STRICT LANGUAGE sql AS 'SELECT * FROM "
    "people'",
    "CREATE FUNCTION two_columns(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql AS "
    "'SELECT 1, NULL::text'",
    "CREATE FUNCTION one_out(OUT result int) RETURNS SETOF int LANGUAGE sql AS 'SELECT NULL::int'",
    "CREATE FUNCTION rows_of(int) RETURNS TABLE (k int, v text) LANGUAGE sql AS 'SELECT $1, "
    "NULL::text'",
    "CREATE FUNCTION any_record() RETURNS SETOF record LANGUAGE sql AS 'SELECT 1, NULL::text'",
    "CREATE FUNCTION null_op(int, int) RETURNS int STRICT LANGUAGE sql AS 'SELECT NULL::int'",
    "CREATE OPERATOR %% (LEFTARG = int, RIGHTARG = int, FUNCTION = null_op)",
    "CREATE FUNCTION lax_eq(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT true'",
    "CREATE OPERATOR === (LEFTARG = pair, RIGHTARG = pair, FUNCTION = lax_eq)",
    "CREATE FUNCTION mood_int(mood) RETURNS int STRICT LANGUAGE sql AS 'SELECT NULL::int'",
    "CREATE CAST (mood AS int) WITH FUNCTION mood_int(mood)",
    "CREATE AGGREGATE own_max(int) (SFUNC = int4larger, STYPE = int)",
    "CREATE TABLE moved (id int NOT NULL, k int NOT NULL, note text) PARTITION BY LIST (k)",
    "CREATE TABLE moved_1 PARTITION OF moved FOR VALUES IN (1)",
    "CREATE TABLE moved_2 PARTITION OF moved FOR VALUES IN (2)",
    "CREATE TRIGGER wipe BEFORE INSERT ON moved_2 FOR EACH ROW EXECUTE FUNCTION wipe()",
    "INSERT INTO moved VALUES (1, 1, 'a')",
};

#endif
