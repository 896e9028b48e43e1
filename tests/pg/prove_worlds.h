/* Other contents of the fixture's database, each made inside the transaction in which a query is
 * observed. A column that shows NULL in any of them can be NULL, so the register of
 * over-pessimistic columns holds only those that no contents can make NULL. */
#ifndef TEST_PROVE_WORLDS_H
#define TEST_PROVE_WORLDS_H

static const char *const PROVE_WORLDS[] = {
    /* as the fixture made it */
    "",
    /* no rows */
    "DELETE FROM thumbs; DELETE FROM assets; DELETE FROM people; DELETE FROM moods; DELETE FROM "
    "rated; DELETE FROM links; DELETE FROM guarded; DELETE FROM parent; DELETE FROM split; DELETE "
    "FROM moved; DELETE FROM nothing",
    /* NULL in every column that takes it */
    "UPDATE people SET email = NULL, born = NULL, boss = NULL, score = NULL, active = NULL, nick = "
    "NULL; UPDATE assets SET owner = NULL, width = NULL, taken = NULL, meta = NULL, dur = NULL, "
    "embedding = NULL, code = NULL, box4 = NULL, nums = NULL; UPDATE thumbs SET path = NULL; "
    "UPDATE links SET a = NULL, b = NULL",
    /* further rows that keep some values and lose the others */
    "INSERT INTO people SELECT id + 100, name, email, NULL, joined, NULL, NULL, NULL, NULL FROM "
    "people; INSERT INTO people SELECT id + 200, name, NULL, born, joined, boss, NULL, NULL, NULL "
    "FROM people WHERE id < 100; INSERT INTO people SELECT id + 300, name, email, born, joined, "
    "boss, score, active, NULL FROM people WHERE id < 100; INSERT INTO assets (id, owner, title, "
    "size) SELECT id + 100, owner, title, size FROM assets; INSERT INTO assets SELECT id + 200, "
    "NULL, title, width, size, taken, added, meta, tags, span, dur, embedding, code, box4, nums "
    "FROM assets WHERE id < 100; INSERT INTO thumbs SELECT id + 100, asset + 100, kind, NULL FROM "
    "thumbs; INSERT INTO nothing VALUES (77, 'x', NULL), (1, 'y', NULL); INSERT INTO links VALUES "
    "(NULL, 9), (9, NULL), (9, 9)",
    /* one row each, with values or without */
    "DELETE FROM thumbs; UPDATE assets SET owner = 1, width = 1; DELETE FROM assets WHERE id > 1; "
    "DELETE FROM people WHERE id > 1; UPDATE people SET boss = NULL, score = NULL, active = NULL",
    "UPDATE people SET boss = 99, email = 'x', nick = 'x', active = NULL, score = NULL",
    "UPDATE people SET boss = NULL, email = NULL, nick = NULL, active = true, score = 0",
    "UPDATE assets SET width = NULL, taken = NULL, meta = NULL, dur = NULL, embedding = NULL, code "
    "= NULL, box4 = NULL, nums = NULL; INSERT INTO people (id, name, joined) VALUES (999, 'z', "
    "now())",
    "DELETE FROM thumbs; DELETE FROM assets; UPDATE people SET id = -id, active = NULL",
    /* JSON without the key, with a null under it, as an array */
    "UPDATE assets SET meta = '{\"b\": 1}'",
    "UPDATE assets SET meta = '{\"a\": null}', nums = '{NULL}', tags = '{NULL}'",
    "UPDATE assets SET meta = '[\"a\"]', nums = '{}', tags = '{}'",
    /* beginnings and ends of time, empty and endless ranges, boxes that do not meet */
    "UPDATE people SET joined = 'infinity', born = 'infinity'; UPDATE assets SET added = "
    "'infinity', taken = '-infinity', span = '(,)'",
    "UPDATE assets SET span = 'empty', box4 = box4 + point (id * 100, 0)",
    /* a user's functions give NULL when the user likes */
    "CREATE OR REPLACE FUNCTION lax_eq(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT "
    "NULL::bool'; CREATE OR REPLACE FUNCTION some_people() RETURNS SETOF people STRICT LANGUAGE "
    "sql AS 'SELECT NULL::people'; CREATE OR REPLACE FUNCTION two_columns(OUT a int, OUT b text) "
    "RETURNS SETOF record LANGUAGE sql AS 'SELECT NULL::int, NULL::text'; CREATE OR REPLACE "
    "FUNCTION rows_of(int) RETURNS TABLE (k int, v text) LANGUAGE sql AS 'SELECT NULL::int, "
    "NULL::text'; CREATE OR REPLACE FUNCTION any_record() RETURNS SETOF record LANGUAGE sql AS "
    "'SELECT NULL::int, NULL::text'; CREATE FUNCTION nil(int) RETURNS int LANGUAGE sql AS 'SELECT "
    "NULL::int'; CREATE OR REPLACE AGGREGATE own_max(int) (SFUNC = int4larger, STYPE = int, "
    "FINALFUNC = nil)",
    "CREATE OR REPLACE FUNCTION fake() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.other := "
    "NULL; NEW.id := NULL; RETURN NEW; END'",
    /* nothing on the search path */
    "SET LOCAL search_path = ''",
};

#endif
