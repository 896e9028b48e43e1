/* Queries of the live conformance test with what is claimed about their columns: see
 * t-prove-live.c for the letters. */
#ifndef TEST_PROVE_QUERIES_H
#define TEST_PROVE_QUERIES_H

#include <stdbool.h>

typedef struct prove_query {
    const char *sql, *claims;
    bool star_refused; /* star expansion says PGC_UNSUPPORTED */
} prove_query;

/* clang-format off: one query, one entry */
static const prove_query PROVE_QUERIES[] = {
    { "SELECT * FROM people", "NN--N----", false },
    { "SELECT p.*, a.* FROM people p JOIN assets a ON a.owner = p.id", "NN--N----NNN-N-N-NN-----",
      false },
    { "SELECT p.*, a.* FROM people p LEFT JOIN assets a ON a.owner = p.id",
      "NN--N-------------------", false },
    { "SELECT p.id, a.id FROM people p RIGHT JOIN assets a ON a.owner = p.id", "-N", false },
    { "SELECT p.id, a.id FROM people p FULL JOIN assets a ON a.owner = p.id", "--", false },
    { "SELECT p.name, n.label FROM people p LEFT JOIN nothing n ON n.id = p.id", "N-", false },
    { "SELECT * FROM nothing n RIGHT JOIN people p USING (id)", "N--N--N----", false },
    { "SELECT * FROM nothing n FULL JOIN people p USING (id)", "N----------", false },
    { "SELECT id, n.id, p.id FROM nothing n FULL JOIN people p USING (id)", "N--", false },
    { "SELECT * FROM people NATURAL LEFT JOIN nothing", "NN--N------", false },
    { "SELECT j.* FROM (people p LEFT JOIN nothing n ON p.id = n.id) AS j(a, b, c)", "NN--N-------",
      false },
    { "SELECT p.id, x.i, x.kind FROM people p LEFT JOIN (assets a JOIN thumbs t ON t.asset = "
      "a.id) AS x(i, o, ti) ON x.o = p.id",
      "N--", false },
    { "SELECT p.id, a.id, t.id FROM people p LEFT JOIN assets a ON a.owner = p.id LEFT JOIN "
      "thumbs t ON t.asset = a.id",
      "N--", false },
    { "SELECT p.id, a.id, t.id FROM people p LEFT JOIN assets a ON a.owner = p.id LEFT JOIN "
      "thumbs t ON t.asset = a.id WHERE t.kind = 'small'",
      "NNN", false },
    { "SELECT p.id, a.id, t.id FROM people p LEFT JOIN assets a ON a.owner = p.id JOIN thumbs t "
      "ON t.asset = a.id",
      "NNN", false },
    { "SELECT p.id, a.id, t.id FROM people p LEFT JOIN (assets a LEFT JOIN thumbs t ON t.asset = "
      "a.id) ON a.owner = p.id",
      "N--", false },
    { "SELECT p.id, a.owner, t.id FROM people p LEFT JOIN (assets a JOIN thumbs t ON t.asset = "
      "a.id) ON a.owner = p.id",
      "N--", false },
    { "SELECT p.id, a.id FROM people p FULL JOIN assets a ON a.owner = p.id WHERE a.size > 0", "-N",
      false },
    { "SELECT p.id, a.id FROM people p FULL JOIN assets a ON a.owner = p.id WHERE a.size > 0 AND "
      "p.name <> ''",
      "NN", false },
    { "SELECT a.owner FROM assets a JOIN people p ON p.id = a.owner", "N", false },
    { "SELECT a.owner, a.width FROM assets a LEFT JOIN people p ON p.id = a.owner AND a.width > 5",
      "--", false },
    { "SELECT a.width, p.boss FROM assets a LEFT JOIN people p ON p.id = a.owner AND p.boss > 0",
      "--", false },
    { "SELECT a.width, p.boss FROM assets a LEFT JOIN people p ON p.id = a.owner AND p.boss > 0 "
      "WHERE p.id > 0",
      "-N", false },
    { "SELECT p.id FROM assets a LEFT JOIN people p ON p.id = a.owner WHERE p.id IS NULL", "-",
      false },
    { "SELECT l.a, l.b, m.a FROM links l JOIN links m USING (a, b)", "NNN", false },
    { "SELECT a, b FROM links l LEFT JOIN links m USING (a, b)", "--", false },
    { "SELECT a FROM links l FULL JOIN links m USING (a)", "-", false },
    { "SELECT p FROM assets a LEFT JOIN people p ON p.id = a.owner", "-", false },
    { "SELECT p.ctid, a.ctid, p.tableoid FROM assets a LEFT JOIN people p ON p.id = a.owner", "-N-",
      false },
    { "SELECT (p).name, (p).email FROM people p", "N-", false },
    { "SELECT 1, 'x', NULL, true, 1.5, B'1', 12345678901", "NN-NNNN", false },
    { "SELECT id + 1, -id, id * score, name || 'x', name || email, id / 2, id % 2 + 1, @ id, id "
      "^ 2, id & 1, id # 1 FROM people",
      "NN-N-NNNNNN", false },
    { "SELECT id = 1, score > 0, name = email, name <> 'x', active = true FROM people", "N--N-",
      false },
    { "SELECT active AND true, active OR id > 0, NOT active, id > 1 AND name <> '', active IS "
      "NOT TRUE FROM people",
      "---NN", false },
    { "SELECT email IS NULL, email IS NOT NULL, email IS DISTINCT FROM name, score IS NOT "
      "DISTINCT FROM 1 FROM people",
      "NNNN", false },
    { "SELECT id IN (1, 2), id IN (1, NULL), boss IN (1), id NOT IN (1, 2), name IN ('a', email) "
      "FROM people",
      "N--N-", false },
    { "SELECT id BETWEEN 1 AND 2, id BETWEEN boss AND 3, id NOT BETWEEN 1 AND 2, id BETWEEN "
      "SYMMETRIC 3 AND 1 FROM people",
      "N-NN", false },
    { "SELECT name LIKE 'A%', name ILIKE email, name SIMILAR TO 'a', name ~ 'A', email !~ 'x', "
      "name NOT LIKE 'a' ESCAPE '!' FROM people",
      "N-NN-N", false },
    { "SELECT id = ANY(ARRAY[1, 2]), id = ANY(ARRAY[1, NULL]), id <> ALL(ARRAY[1, 2]), id = "
      "ANY(nums), id = ANY('{}'::int[]) FROM assets",
      "N-N-N", false },
    { "SELECT meta -> 'a', meta ->> 'b', meta #> '{a}', meta #>> '{b}', meta @> '{}', meta ? "
      "'a', meta || '{}', meta - 'a' FROM assets WHERE meta @> '{}'",
      "----NNNN", false },
    { "SELECT meta -> 'a', meta ->> 'a' FROM assets WHERE meta ? 'a'", "--", false },
    { "SELECT meta @@ '$.a', meta @? 'strict $.a' FROM assets WHERE meta IS NOT NULL", "--",
      false },
    { "SELECT box4 # box '((9,9),(8,8))', box4 && box4, box4 ?# box4 FROM assets WHERE box4 IS NOT "
      "NULL",
      "-NN", false },
    { "SELECT a.box4 # b.box4 FROM assets a, assets b WHERE a.box4 IS NOT NULL AND b.box4 IS NOT "
      "NULL",
      "-", false },
    /* p: operators on constants are not computed */
    { "SELECT path '[(0,0),(1,1)]' + path '((0,0),(1,1))', lseg '[(0,0),(1,1)]' # lseg "
      "'[(5,5),(6,7)]', point '(1,1)' ## lseg '[(0,0),(1,1)]'",
      "--p", false },
    { "SELECT span * int4range(1, 3), span && int4range(1, 3), span @> 2, lower(span), "
      "upper(span), isempty(span), lower_inc(span) FROM assets",
      "NNN--NN", false },
    { "SELECT id %% 1, 1 %% 2 FROM people", "--", false },
    { "SELECT q === q, p === q FROM moods", "--", false },
    { "SELECT tags || 'x'::text, tags || tags, 'x'::text || tags, NULL::text[] || tags, tags || "
      "NULL::text[], tags || NULL::text FROM assets",
      "NNNNNN", false },
    { "SELECT embedding <=> '[1,1,1]', embedding <-> embedding, embedding + embedding, embedding "
      "= '[1,2,3]' FROM assets",
      "----", false },
    { "SELECT embedding <=> '[1,1,1]', 1 - (embedding <#> '[1,0,0]') AS score FROM assets WHERE "
      "embedding IS NOT NULL",
      "NN", false },
    { "SELECT title % 'sea', title <-> 'sea', similarity(title, 'sea'), word_similarity('a', "
      "title), show_trgm(title) FROM assets",
      "NNNNE", false },
    { "SELECT code = 'AB', code || 'x', lower(code), code LIKE 'a%', length(code) FROM assets "
      "WHERE code IS NOT NULL",
      "NNNNN", false },
    { "SELECT (id, name) = (1, 'Ann'), (id, email) = (1, 'x'), (id, email) < (1, 'x'), ROW(id, "
      "NULL) = ROW(1, NULL) FROM people",
      "N---", false },
    { "SELECT (id, email) IS NULL, ROW(NULL, NULL) IS NULL, ROW(id, email), (boss, id) IN ((1, "
      "2)) FROM people",
      "NNN-", false },
    { "SELECT coalesce(email, 'x'), coalesce(email, nick), greatest(score, 1), least(boss, "
      "score), nullif(id, 1), coalesce(NULL, email, name) FROM people",
      "N-N--N", false },
    { "SELECT CASE WHEN id > 1 THEN 'a' END, CASE WHEN id > 1 THEN 'a' ELSE 'b' END, CASE id "
      "WHEN 1 THEN email ELSE 'x' END FROM people",
      "-N-", false },
    { "SELECT CASE WHEN email IS NOT NULL THEN email ELSE '?' END, CASE WHEN email IS NULL THEN "
      "'?' ELSE email END, CASE WHEN email = 'x' THEN 1 ELSE length(email) END FROM people",
      "NN-", false },
    { "SELECT CASE WHEN boss IS NULL OR score IS NULL THEN 0 ELSE boss + score END, CASE WHEN "
      "email <> '' THEN email ELSE email END FROM people",
      "N-", false },
    { "SELECT CASE WHEN p.id IS NOT NULL THEN p.name ELSE 'none' END, CASE WHEN p.id IS NULL "
      "THEN 0 ELSE p.id END FROM assets a LEFT JOIN people p ON p.id = a.owner",
      "NN", false },
    { "SELECT ARRAY[1, 2], ARRAY[id, boss], ARRAY[[1], [boss]], ARRAY(SELECT name FROM people), "
      "ARRAY(SELECT email FROM people), ARRAY(SELECT id FROM nothing) FROM people",
      "ENNENE", false },
    { "SELECT tags[1], tags[1:1], nums[5], nums[1:boss], (ARRAY[1, 2])[3] FROM assets, people",
      "-N---", false },
    { "SELECT (q).x, (q).y, q FROM moods", "--N", false },
    { "SELECT (p).* FROM moods", "--", false },
    { "SELECT (q).*, (m.q).* FROM moods m", "----", false },
    { "SELECT (mo).* FROM moods mo", "NN-N", false },
    { "SELECT (o).*, m.id FROM moods m LEFT JOIN moods o ON o.id = m.id + 1", "----N", false },
    { "SELECT (ROW(id, q, NULL::text, p)).* FROM moods", "NN--", false },
    { "SELECT (jsonb_each('{\"a\": 1}')).*, unnest(ARRAY[NULL, NULL]::int[]) FROM moods", "---",
      false },
    { "SELECT (ARRAY[p, q])[2].*, ('(,)'::pair).* FROM moods", "----", false },
    { "SELECT ((SELECT s.q FROM (SELECT * FROM moods) s LIMIT 1)).*, id FROM moods", "--N", false },
    { "SELECT current_date, now(), current_user, localtime, current_timestamp(0), session_user, "
      "current_catalog, current_schema",
      "NNNNNNN-", false },
    { "SELECT id::text, boss::text, name::varchar(3), joined::date, joined::timestamp, "
      "score::int8, id::float8 FROM people WHERE score <> 'NaN' OR score IS NULL",
      "N-NNN-N", false },
    { "SELECT joined::time, joined::timetz, joined::timestamp::time, born::timestamp, "
      "'10:00'::time, now()::time FROM people",
      "----NN", false },
    { "SELECT '1 day'::interval::time, '2020-01-01'::date, '{1,NULL}'::int[], '{}'::int[], "
      "'low'::mood, '(1,a)'::pair, 5::rating",
      "NNNENNN", false },
    { "SELECT m::text, m::int, m::mood, lower(m), m = 'low', m > 'low' FROM moods", "N-N-NN",
      false },
    { "SELECT tags::varchar[], nums::text[], nums::float8[] FROM assets WHERE nums IS NOT NULL",
      "NNN", false },
    { "SELECT (meta -> 'a')::int, (meta ->> 'a')::int, meta::text FROM assets WHERE id = 1", "---",
      false },
    { "SELECT lower(name), upper(email), length(name), char_length(nick), trim(name), "
      "substring(name, 1, 2), substring(name FROM 'A(.*)'), substr(name, 2), left(name, 1), "
      "replace(name, 'a', 'b') FROM people",
      "N-N-NN-NNN", false },
    { "SELECT substring(nick FROM 1 FOR 2), substring(nick, '^a'), overlay(name PLACING 'x' FROM "
      "1), position('a' IN name), strpos(name, 'n'), split_part(name, 'n', 1), md5(name), "
      "repeat(name, 2) FROM people",
      "--NNNNNN", false },
    { "SELECT regexp_replace(name, 'a', 'b'), regexp_match(name, 'A'), "
      "regexp_split_to_array(name, 'n'), regexp_substr(name, 'A'), regexp_like(name, 'A'), "
      "regexp_count(name, 'n') FROM people",
      "N-E-NN", false },
    { "SELECT concat(email, nick), concat_ws(',', email, nick), concat_ws(email, 'a'), "
      "format('%s', email), format(email), quote_nullable(email), quote_literal(name), "
      "num_nulls(email, nick) FROM people",
      "NN-N-NNN", false },
    { "SELECT extract(year FROM joined), extract(day FROM joined), extract(epoch FROM joined), "
      "date_part('hour', joined), date_part('year', joined), extract(dow FROM born) FROM people",
      "N-N-N-", false },
    /* p: that no value is infinite follows from values, not from NULLs */
    { "SELECT date_trunc('day', joined), to_char(joined, 'YYYY'), to_char(5, '99'), "
      "to_char(score, '9'), age(joined, joined), joined AT TIME ZONE 'UTC', joined + interval '1 "
      "day', make_date(2020, 1, id), to_timestamp(id) FROM people WHERE joined NOT IN "
      "('infinity', '-infinity')",
      "NpN-NNNNN", false },
    { "SELECT to_char(joined, 'YYYY'), date_trunc('day', joined), joined AT TIME ZONE 'UTC', "
      "joined + interval '1 day', isfinite(joined), joined::date, to_char(joined, '') FROM people",
      "-NNNNN-", false },
    { "SELECT abs(id), round(score), ceil(score), power(id, 2), sqrt(id), random(), "
      "floor(score::numeric), mod(id, 2), scale(score::numeric), min_scale('NaN'::numeric), "
      "scale('NaN'::numeric), width_bucket(id, 1, 5, 2) FROM people",
      "N--NNN-N---N", false },
    { "SELECT array_length(tags, 1), cardinality(tags), array_upper(tags, 1), "
      "array_position(tags, 'x'), array_append(tags, 'q'), array_remove(tags, 'x'), "
      "array_remove(tags, NULL), array_to_string(tags, ','), array_to_string(tags, ',', '-'), "
      "array_positions(tags, 'x'), array_cat(tags, NULL), array_ndims(tags), array_dims(tags) "
      "FROM assets",
      "-N--NNENNEN--", false },
    { "SELECT string_to_array('a,b', ','), string_to_array('a,b', ',', 'a'), "
      "string_to_array(email, ','), array_prepend(NULL, tags), array_replace(tags, 'x', NULL) "
      "FROM people, assets",
      "EN-NN", false },
    { "SELECT jsonb_typeof(meta), jsonb_array_length('[]'), jsonb_build_object('a', width), "
      "to_jsonb(title), jsonb_set('{}', '{a}', '1'), jsonb_extract_path(meta, 'a'), "
      "jsonb_extract_path_text(meta, 'b'), jsonb_path_query_first('{}', '$.a'), "
      "jsonb_path_exists('{}', '$.a'), jsonb_pretty('{}'), row_to_json(assets) FROM assets",
      "-NNNN---NNN", false },
    { "SELECT pg_typeof(1), obj_description(1, 'pg_class'), to_regclass('nope'), "
      "current_setting('nope.x', true), has_table_privilege(0::oid, 'select'), pg_backend_pid(), "
      "txid_current_if_assigned(), inet_client_addr(), version(), current_schemas(false), "
      "gen_random_uuid()",
      "N----N--NEN", false },
    { "SELECT maybe(name), maybe(email), some_people() FROM people", "---", false },
    /* p: functions of constants are not computed */
    { "SELECT coalesce(maybe(name), 'x'), int4range(1, boss), numnode('a'::tsquery), "
      "to_tsvector(name), ts_rank(to_tsvector(name), 'a'), plainto_tsquery(name), "
      "ts_lexize('english_stem', 'a') FROM people",
      "NNNNNNp", false },
    { "SELECT l2_distance(embedding, embedding), cosine_distance(embedding, '[1,1,1]'), "
      "vector_dims(embedding), l2_normalize(embedding), subvector(embedding, 1, 2), "
      "vector_norm(embedding) FROM assets WHERE embedding IS NOT NULL",
      "NNNNNN", false },
    { "SELECT count(*), count(email), sum(id), max(name), min(boss), avg(score), "
      "bool_and(active), string_agg(name, ','), array_agg(name), json_agg(name) FROM people",
      "NN--------", false },
    { "SELECT count(*), sum(id), max(label), array_agg(label), json_agg(label), "
      "string_agg(label, ','), every(true), stddev(id) FROM nothing",
      "N-------", false },
    { "SELECT boss, count(*), sum(id), max(name), min(email), avg(id), stddev(id), "
      "stddev_pop(id), variance(id), var_pop(id), corr(id, id), regr_slope(id, id), "
      "bool_or(active) FROM people GROUP BY boss",
      "-NNN-N-N-N---", false },
    { "SELECT boss, array_agg(email), array_agg(name), json_agg(email), jsonb_object_agg(id, "
      "email), string_agg(name, ','), string_agg(email, ','), xmlagg(NULL), bit_and(id), "
      "range_agg(int4range(id, id + 1)) FROM people GROUP BY boss",
      "-NENNN--NN", false },
    { "SELECT boss, sum(id) FILTER (WHERE id > 3), count(*) FILTER (WHERE id > 3), "
      "array_agg(email) FILTER (WHERE email IS NOT NULL), max(score) FILTER (WHERE score IS NOT "
      "NULL) FROM people GROUP BY boss",
      "--N--", false },
    { "SELECT boss, mode() WITHIN GROUP (ORDER BY name), percentile_cont(0.5) WITHIN GROUP "
      "(ORDER BY id), percentile_disc(0.5) WITHIN GROUP (ORDER BY email), percentile_cont(NULL) "
      "WITHIN GROUP (ORDER BY id), rank(2) WITHIN GROUP (ORDER BY id) FROM people GROUP BY boss",
      "-NN--N", false },
    { "SELECT mode() WITHIN GROUP (ORDER BY label), rank('x') WITHIN GROUP (ORDER BY label), "
      "percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM nothing",
      "-N-", false },
    { "SELECT id, name, email, count(*) FROM people GROUP BY id", "NN-N", false },
    { "SELECT boss, active, count(*), sum(id) FROM people GROUP BY ROLLUP (boss, active)", "--N-",
      false },
    { "SELECT name, id, count(*), sum(id), max(name) FROM people GROUP BY CUBE (name, id)", "--N--",
      false },
    { "SELECT name, id, count(*), sum(id) FROM people GROUP BY GROUPING SETS ((name), (id))",
      "--NN", false },
    { "SELECT name, sum(id) FROM people GROUP BY GROUPING SETS ((name), ())", "--", false },
    { "SELECT id, name, sum(id) FROM people GROUP BY id, ROLLUP (name)", "N-N", false },
    { "SELECT coalesce(name, 'all'), GROUPING(name), length(name), name IS NULL, upper(name) "
      "FROM people GROUP BY ROLLUP (name)",
      "NN-N-", false },
    /* p: we compare text with group expressions, the server trees */
    { "SELECT upper(name), lower(name), coalesce(upper(name), 'x') FROM people GROUP BY ROLLUP "
      "(upper(name), lower(name))",
      "--p", false },
    { "SELECT coalesce(name, 'x') AS c, count(*) FROM people GROUP BY ROLLUP (c)", "-N", false },
    { "SELECT coalesce(name, 'x') AS c, count(*) FROM people GROUP BY ROLLUP (1)", "-N", false },
    { "SELECT id, (SELECT p.name), count(*) FROM people p GROUP BY ROLLUP (id, name)", "--N",
      false },
    { "SELECT sum(id) FROM nothing GROUP BY ROLLUP (label)", "-", false },
    { "SELECT sum(id), max(label) FROM nothing GROUP BY ()", "--", false },
    { "SELECT boss, count(*) FROM people GROUP BY boss HAVING boss IS NOT NULL", "NN", false },
    { "SELECT boss, max(score) FROM people GROUP BY boss HAVING max(score) > 0", "-N", false },
    { "SELECT sum(id) FROM nothing HAVING sum(id) IS NOT NULL", "N", false },
    { "SELECT DISTINCT boss, name FROM people", "-N", false },
    { "SELECT DISTINCT ON (boss) boss, id, email FROM people ORDER BY boss, id", "-N-", false },
    { "SELECT own_max(id) FROM people GROUP BY name", "-", false },
    { "SELECT row_number() OVER (), rank() OVER (ORDER BY id), count(*) OVER (), ntile(2) OVER "
      "(ORDER BY id), cume_dist() OVER (ORDER BY id), ntile(NULL) OVER () FROM people",
      "NNNNN-", false },
    { "SELECT lag(id) OVER (ORDER BY id), lead(name, 1, 'x') OVER (ORDER BY id), lag(id, 1, 0) "
      "OVER (ORDER BY id), lead(name, NULL, 'x') OVER (ORDER BY id), lag(email, 1, 'x') OVER "
      "(ORDER BY id), nth_value(id, 2) OVER (ORDER BY id) FROM people",
      "-NN---", false },
    { "SELECT first_value(name) OVER (ORDER BY id), last_value(name) OVER (ORDER BY id), "
      "first_value(email) OVER (ORDER BY id), sum(id) OVER (), avg(id) OVER (PARTITION BY boss "
      "ORDER BY id), max(email) OVER (ORDER BY id) FROM people",
      "NN-NN-", false },
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING), sum(id) OVER "
      "(ORDER BY id ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING), sum(id) OVER (ORDER BY id ROWS "
      "UNBOUNDED PRECEDING EXCLUDE CURRENT ROW), sum(id) OVER (ORDER BY id GROUPS BETWEEN 1 "
      "PRECEDING AND 1 FOLLOWING EXCLUDE TIES), sum(id) FILTER (WHERE id > 2) OVER (ORDER BY "
      "id), first_value(id) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) FROM "
      "people",
      "-N-N--", false },
    { "SELECT sum(id) OVER w, last_value(id) OVER (w ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING), "
      "max(name) OVER w FROM people WINDOW w AS (ORDER BY id)",
      "N-N", false },
    { "SELECT boss, sum(count(*)) OVER (), max(sum(id)) OVER (ORDER BY boss), lag(max(name)) "
      "OVER (ORDER BY boss) FROM people GROUP BY boss",
      "-NN-", false },
    { "SELECT array_agg(name) OVER (ORDER BY id), string_agg(email, ',') OVER (ORDER BY id), "
      "stddev(id) OVER (ORDER BY id) FROM people",
      "N--", false },
    { "SELECT (SELECT count(*) FROM nothing), (SELECT max(id) FROM nothing), (SELECT label FROM "
      "nothing), (SELECT 1), (SELECT 1 WHERE false), (SELECT coalesce(max(id), 0) FROM nothing)",
      "N--N-N", false },
    { "SELECT (SELECT count(*) FROM nothing LIMIT 0), (SELECT count(*) FROM people OFFSET 1), "
      "(SELECT count(*) FROM people HAVING false), (SELECT count(*) FROM people GROUP BY boss "
      "HAVING boss = 9), (SELECT 1 LIMIT 0), (SELECT generate_series(1, 0))",
      "------", false },
    { "SELECT (SELECT count(*) FROM thumbs t WHERE t.asset = a.id), (SELECT max(t.kind) FROM "
      "thumbs t WHERE t.asset = a.id), (SELECT t.kind FROM thumbs t WHERE t.asset = a.id LIMIT "
      "1), (SELECT a.title), (SELECT a.owner) FROM assets a",
      "N--N-", false },
    { "SELECT (SELECT sum(p.id) FROM nothing) FROM people p", "-", false },
    { "SELECT (SELECT count(p.id) FROM nothing) FROM people p", "-", false },
    { "SELECT EXISTS (SELECT * FROM nothing), id IN (SELECT id FROM people), id IN (SELECT boss "
      "FROM people), boss IN (SELECT id FROM people), id NOT IN (SELECT boss FROM people), id = "
      "ANY (SELECT id FROM nothing), id > ALL (SELECT id FROM nothing), (id, boss) IN (SELECT "
      "id, boss FROM people) FROM people",
      "NN---NN-", false },
    { "SELECT s.* FROM (SELECT id, email, lower(name) FROM people) s", "N-N", false },
    { "SELECT * FROM (SELECT *, count(*) OVER () FROM people) s LEFT JOIN (SELECT id AS tid, "
      "kind FROM thumbs) t ON t.tid = s.id",
      "NN--N----N--", false },
    { "SELECT l.* FROM people p, LATERAL (SELECT p.name, p.email, count(*) AS n FROM assets a "
      "WHERE a.owner = p.id) l",
      "N-N", false },
    { "SELECT p.id, l.title FROM people p LEFT JOIN LATERAL (SELECT * FROM assets a WHERE "
      "a.owner = p.id LIMIT 1) l ON true",
      "N-", false },
    { "SELECT l.* FROM assets a LEFT JOIN people p ON p.id = a.owner CROSS JOIN LATERAL (SELECT "
      "p.name, p.id + 1 AS next, coalesce(p.name, 'x') AS c) l",
      "--N", false },
    { "SELECT l.n FROM people p CROSS JOIN LATERAL (SELECT p.name AS n WHERE p.id > 1) l", "N",
      false },
    { "SELECT x.* FROM (VALUES (1, 'a', NULL), (2, NULL, NULL)) AS x(a, b, c)", "N--", false },
    { "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS x", "NN", false },
    { "VALUES (1, NULL), (2, 'b')", "N-", false },
    { "SELECT 1 AS a, 'x' AS b UNION SELECT 2, NULL", "N-", false },
    { "SELECT id, name FROM people UNION ALL SELECT id, title FROM assets", "NN", false },
    { "SELECT id, email FROM people WHERE email IS NOT NULL UNION SELECT id, title FROM assets",
      "NN", false },
    { "SELECT boss FROM people INTERSECT SELECT id FROM people", "N", false },
    { "SELECT boss FROM people EXCEPT SELECT id FROM people", "-", false },
    { "SELECT id FROM people EXCEPT SELECT boss FROM people", "N", false },
    { "(SELECT id FROM people UNION SELECT boss FROM people) INTERSECT SELECT id FROM assets", "N",
      false },
    { "WITH a AS (SELECT id, email FROM people), b AS (SELECT id FROM a WHERE email IS NOT NULL) "
      "SELECT a.*, b.id AS bid FROM a LEFT JOIN b USING (id)",
      "N--", false },
    { "WITH a(x, y) AS MATERIALIZED (SELECT id, email FROM people) SELECT * FROM a WHERE y > ''",
      "NN", false },
    { "WITH RECURSIVE up(id, boss, depth) AS (SELECT id, boss, 0 FROM people UNION ALL SELECT "
      "p.id, p.boss, depth + 1 FROM up JOIN people p ON p.id = up.boss) SELECT * FROM up",
      "N-N", false },
    { "WITH RECURSIVE r(a, b, c) AS (SELECT 1, 2, 3 UNION ALL SELECT b, c, NULL FROM r WHERE a "
      "IS NOT NULL AND a < 9) SELECT * FROM r",
      "---", false },
    /* p: we do not know that n has a row */
    { "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 3) SELECT i, (SELECT "
      "max(i) FROM n) FROM n",
      "Np", false },
    { "WITH RECURSIVE g(id, boss) AS (SELECT id, boss FROM people WHERE boss IS NOT NULL UNION "
      "ALL SELECT p.id, p.boss FROM g JOIN people p ON p.id = g.boss) CYCLE id SET looped USING "
      "way SELECT * FROM g",
      "N-NN", false },
    { "WITH RECURSIVE g(id, boss) AS (SELECT id, boss FROM people UNION ALL SELECT p.id, p.boss "
      "FROM g JOIN people p ON p.id = g.boss) SEARCH DEPTH FIRST BY id SET ord SELECT * FROM g",
      "N-N", false },
    { "WITH people AS (SELECT NULL::int AS id) SELECT * FROM people", "-", false },
    { "WITH x AS (SELECT 1 AS a) SELECT (WITH x AS (SELECT NULL::int AS a) SELECT a FROM x), a "
      "FROM x",
      "-N", false },
    { "WITH d AS (DELETE FROM thumbs RETURNING *), i AS (INSERT INTO nothing SELECT id, kind, "
      "path FROM d RETURNING *) SELECT * FROM i",
      "NN-", false },
    { "WITH u AS (UPDATE assets SET width = NULL WHERE width IS NOT NULL RETURNING id, width, "
      "owner) SELECT * FROM u",
      "N--", false },
    { "INSERT INTO nothing (id, label) VALUES (1, 'x') RETURNING *", "NN-", false },
    { "INSERT INTO nothing VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET extra = excluded.extra "
      "RETURNING *, id + 1 AS more",
      "NN-N", false },
    { "INSERT INTO people SELECT id + 100, name, email, born, joined FROM people RETURNING *",
      "NN--N----", false },
    /* p: a change through a view: triggers may stand instead of it */
    { "INSERT INTO shown VALUES (9, NULL) RETURNING *", "p-", false },
    { "INSERT INTO faked VALUES (9, 'x') RETURNING *", "--", false },
    { "INSERT INTO ruled VALUES (9) RETURNING *", "-", false },
    { "INSERT INTO split VALUES (5, 5, NULL) RETURNING *", "NN-", false },
    { "UPDATE people SET email = NULL WHERE email = 'ann@x' RETURNING *", "NN--N----", false },
    { "UPDATE people SET boss = NULL WHERE email IS NOT NULL RETURNING email, boss, people.name",
      "N-N", false },
    { "UPDATE people SET (email, nick) = (NULL, 'x') WHERE email IS NOT NULL AND nick IS NOT "
      "NULL RETURNING email, nick",
      "-N", false },
    { "UPDATE guarded SET other = 'z' WHERE note IS NOT NULL RETURNING note, other, id", "-NN",
      false },
    { "UPDATE people SET score = 1 FROM assets a WHERE a.owner = people.id RETURNING *",
      "NN--N-N--NNN-N-N-NN-----", false },
    { "UPDATE people p SET score = 1 FROM assets a LEFT JOIN thumbs t ON t.asset = a.id WHERE "
      "a.owner = p.id RETURNING p.name, a.owner, t.kind",
      "NN-", false },
    /* p: the same */
    { "UPDATE shown SET note = 'x' WHERE id = 1 RETURNING *", "p-", false },
    { "DELETE FROM thumbs WHERE path IS NOT NULL RETURNING *", "NNNN", false },
    { "DELETE FROM thumbs USING assets a LEFT JOIN people p ON p.id = a.owner WHERE thumbs.asset "
      "= a.id RETURNING thumbs.*, a.width, p.name",
      "NNN---", false },
    { "SELECT id, email FROM people WHERE email IS NOT NULL", "NN", false },
    { "SELECT email, boss, nick FROM people WHERE email > '' AND (boss = 1 OR boss = 2) AND nick "
      "LIKE '%'",
      "NNN", false },
    { "SELECT email, boss FROM people WHERE email = 'ann@x' OR boss = 1", "--", false },
    { "SELECT email FROM people WHERE email <> ALL (ARRAY[]::text[])", "-", false },
    { "SELECT email FROM people WHERE email = ANY (ARRAY['ann@x', NULL])", "N", false },
    { "SELECT email FROM people WHERE email NOT IN (SELECT label FROM nothing)", "-", false },
    { "SELECT email FROM people WHERE email IN (SELECT email FROM people)", "N", false },
    { "SELECT boss FROM people WHERE boss > ALL (SELECT id FROM nothing)", "-", false },
    { "SELECT email FROM people WHERE NOT (email IS NULL)", "N", false },
    { "SELECT email FROM people WHERE NOT (email IS NULL AND id = 1)", "-", false },
    { "SELECT email, active FROM people WHERE (email = 'x') IS NOT TRUE AND active IS NOT UNKNOWN",
      "-N", false },
    { "SELECT email FROM people WHERE (email = 'x') IS FALSE", "N", false },
    { "SELECT active FROM people WHERE active", "N", false },
    { "SELECT active FROM people WHERE NOT active", "N", false },
    { "SELECT active FROM people WHERE active IS NOT FALSE", "-", false },
    { "SELECT boss, score FROM people WHERE (boss, score) < (5, 5)", "N-", false },
    { "SELECT a, b FROM links WHERE (a, b) = (1, 1)", "NN", false },
    { "SELECT a, b FROM links WHERE (a, b) <> (2, 2)", "--", false },
    { "SELECT a, b FROM links WHERE (a, b) > (0, 0)", "N-", false },
    { "SELECT a, b FROM links WHERE (a, b) IN ((1, 1), (1, 2))", "NN", false },
    { "SELECT a, b FROM links WHERE (a, b) IS NOT NULL", "NN", false },
    { "SELECT a, b FROM links WHERE NOT ((a, b) IS NULL)", "--", false },
    { "SELECT a, b FROM links WHERE a = b", "NN", false },
    { "SELECT a, b FROM links WHERE a IS NOT DISTINCT FROM b", "--", false },
    { "SELECT a, b FROM links WHERE coalesce(a, b) > 0", "--", false },
    { "SELECT boss FROM people WHERE boss BETWEEN 1 AND 5", "N", false },
    { "SELECT boss FROM people WHERE boss NOT BETWEEN 5 AND 6", "N", false },
    { "SELECT meta ->> 'a' AS v, meta FROM assets WHERE meta ->> 'a' IS NOT NULL", "NN", false },
    { "SELECT meta ->> 'a' AS v FROM assets WHERE meta ->> 'a' = '1' AND meta ->> 'b' IS NULL", "N",
      false },
    { "SELECT width, width %% 1 FROM assets WHERE width %% 1 IS NULL", "--", false },
    { "SELECT maybe(email), email FROM people WHERE maybe(email) IS NULL", "--", false },
    { "SELECT date_trunc('day', taken) AS day, count(*) FROM assets WHERE taken >= '2000-01-01' "
      "GROUP BY 1 ORDER BY 1",
      "NN", false },
    { "SELECT tags[1], nums[1] FROM assets WHERE tags[1] = 'x' AND nums[1] IS NOT NULL", "NN",
      false },
    { "SELECT * FROM asset_thumbs", "NN-NN", false },
    { "SELECT v.*, p.* FROM asset_thumbs v LEFT JOIN people_count p ON p.n = v.id", "NN-NN---",
      false },
    { "SELECT * FROM people_count", "-NN", false },
    { "SELECT * FROM people_names WHERE email IS NOT NULL", "NNN", false },
    { "SELECT * FROM rated", "N-", false },
    { "SELECT * FROM parent", "N-N", false },
    { "SELECT * FROM split", "NN-", false },
    { "SELECT * FROM moods", "NN-N", false },
    { "SELECT * FROM shown", "NN", false },
    { "SELECT relname, relnamespace, reloptions FROM pg_class LIMIT 5", "NN-", false },
    { "SELECT * FROM generate_series(1, 3)", "N", false },
    { "SELECT * FROM generate_series(1, NULL::int) g", "N", false },
    { "SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g(x, y)", "NN", false },
    { "SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a']) AS u(n, t)", "N-", false },
    { "SELECT u FROM assets, unnest(tags) u", "-", false },
    { "SELECT u.* FROM unnest(ARRAY[1, NULL]) u", "-", false },
    /* p: we do not count rows, so any function may be padded */
    { "SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) AS r(a, b)", "-p",
      false },
    { "SELECT * FROM jsonb_array_elements('[1, null]'), jsonb_array_elements_text('[1, null]') "
      "AS t(x)",
      "N-", false },
    { "SELECT * FROM jsonb_each('{\"a\": null}') AS j", "NN", false },
    { "SELECT * FROM jsonb_each_text('{\"a\": null}')", "N-", false },
    { "SELECT k.*, o FROM jsonb_object_keys('{\"a\": 1}') k, jsonb_path_query('[1, null]', "
      "'$[*]') o",
      "NN", false },
    { "SELECT * FROM some_people()", "---------", false },
    { "SELECT * FROM two_columns()", "--", false },
    { "SELECT * FROM one_out()", "-", false },
    { "SELECT * FROM one_out() AS renamed", "-", false },
    { "SELECT * FROM rows_of(1) AS r", "--", false },
    { "SELECT * FROM any_record() AS r(a int, b text)", "--", false },
    { "SELECT * FROM maybe('x')", "-", false },
    { "SELECT * FROM jsonb_to_recordset('[{\"a\": 1}, {}]') AS r(a int, b text)", "--", false },
    { "SELECT * FROM json_populate_record(NULL::pair, '{}')", "--", false },
    { "SELECT * FROM regexp_matches('ab', '(a)(x)?') m, string_to_table('a,b', ',') s, "
      "regexp_split_to_table('a b', ' ') r",
      "NNN", false },
    { "SELECT * FROM current_date AS d, now()", "NN", false },
    { "SELECT p.name, g FROM people p LEFT JOIN generate_series(1, 1) g ON g = p.id", "N-", false },
    { "SELECT unnest(tags), id FROM assets", "-N", false },
    /* p: several sets side by side: the shorter one is padded */
    { "SELECT unnest(ARRAY[1]), unnest(ARRAY[1, 2])", "-p", false },
    { "SELECT generate_series(1, 2), id FROM people", "NN", false },
    { "SELECT * FROM XMLTABLE('/r/i' PASSING '<r><i>1</i></r>' COLUMNS n int PATH '@n', o FOR "
      "ORDINALITY)",
      "-N", false },
    { "SELECT t.* FROM people t TABLESAMPLE SYSTEM (100)", "NN--N----", false },
    { "SELECT DISTINCT a.id, p.name, t.kind FROM assets a LEFT JOIN people p ON p.id = a.owner "
      "LEFT JOIN thumbs t ON t.asset = a.id AND t.kind = 'small' WHERE a.title <> '' ORDER BY "
      "a.id",
      "N--", false },
    { "SELECT a.id, coalesce(json_agg(t.kind) FILTER (WHERE t.id IS NOT NULL), '[]') AS kinds "
      "FROM assets a LEFT JOIN thumbs t ON t.asset = a.id GROUP BY a.id",
      "NN", false },
    { "SELECT p.id, count(a.id), coalesce(sum(a.size), 0), max(a.added) FROM people p LEFT JOIN "
      "assets a ON a.owner = p.id GROUP BY p.id",
      "NNN-", false },
    { "SELECT a.*, similarity(a.title, 'sea') AS rank FROM assets a WHERE a.title % 'sea' ORDER "
      "BY rank DESC LIMIT 10",
      "N-N-N-N-NN-----N", false },
    { "SELECT a.id, (a.embedding <=> '[1,2,3]') AS distance FROM assets a WHERE a.embedding IS "
      "NOT NULL AND a.owner = 1 ORDER BY a.embedding <=> '[1,2,3]' LIMIT 5",
      "NN", false },
    { "SELECT id, ts_rank(to_tsvector('english', title), q) AS rank FROM assets, "
      "plainto_tsquery('english', 'sea') q WHERE to_tsvector('english', title) @@ q",
      "NN", false },
    { "SELECT id FROM people p WHERE EXISTS (SELECT * FROM assets a WHERE a.owner = p.id) FOR "
      "UPDATE",
      "N", false },
    { "SELECT xmlelement(name a), xmlconcat(NULL, '<a/>'), '<a/>'::xml IS DOCUMENT, "
      "xmlparse(CONTENT 'x'), xmlserialize(CONTENT '<a/>' AS text)",
      "NNNNN", false },
    { "TABLE people", "NN--N----", true },
    { "SELECT CASE WHEN email IS NOT NULL THEN first_value(email) OVER (ORDER BY id DESC ROWS "
      "UNBOUNDED PRECEDING) ELSE 'x' END, CASE WHEN boss = 1 THEN lag(email, 1, 'x') OVER (ORDER "
      "BY id) ELSE '' END, CASE WHEN email IS NOT NULL THEN lead(email, 1, email) OVER (ORDER BY "
      "id) ELSE '' END FROM people",
      "---", false },
    { "SELECT boss, CASE WHEN boss IS NOT NULL THEN array_agg(boss) END, count(*) FILTER (WHERE "
      "boss IS NULL) FROM people GROUP BY boss",
      "--N", false },
    { "SELECT array_agg(p.name) FILTER (WHERE p.id IS NOT NULL), array_agg(p.name), "
      "array_agg(a.owner) FILTER (WHERE a.owner = 1) FROM assets a LEFT JOIN people p ON p.id = "
      "a.owner GROUP BY a.size",
      "-N-", false },
    { "UPDATE moved SET k = 2 WHERE note IS NOT NULL RETURNING id, k, note", "NN-", false },
    /* what SET gives is what RETURNING shows, unless something may change it on the way */
    { "UPDATE people SET email = 'x', nick = email RETURNING email, nick", "N-", false },
    { "UPDATE people SET (email, nick) = ('x', NULL) RETURNING email, nick", "N-", false },
    { "UPDATE people SET (email, nick) = (SELECT label, NULL FROM nothing) RETURNING email, nick",
      "--", false },
    { "UPDATE people SET email = coalesce(email, nick, '') WHERE nick = 'a' RETURNING email, nick",
      "NN", false },
    { "UPDATE people SET email = nick WHERE nick IS NOT NULL RETURNING email", "N", false },
    { "UPDATE people SET email = DEFAULT, boss = id RETURNING email, boss", "-N", false },
    { "UPDATE guarded SET note = 'x' RETURNING note", "-", false },
    { "UPDATE moved SET k = 2, note = 'b' RETURNING note", "-", false },
    { "UPDATE people SET boss = null_op(1, 2), email = maybe(name) RETURNING boss, email", "--",
      false },
    { "SELECT xmlconcat(NULL, NULL), xmlparse(CONTENT email), xmlserialize(CONTENT NULL::xml AS "
      "text) FROM people",
      "---", false },
    { "SELECT jsonb_path_exists('{}', 'strict $.a', '{}', true), jsonb_path_exists(meta, '$.a') "
      "FROM assets",
      "--", false },
    { "WITH RECURSIVE g(id, boss) AS (SELECT id, boss FROM people UNION ALL SELECT p.id, p.boss "
      "FROM g JOIN people p ON p.id = g.boss) CYCLE id SET looped TO 'y' DEFAULT NULL USING way "
      "SELECT looped, way FROM g",
      "-N", false },
    { "SELECT * FROM unnest(ARRAY[1, NULL], ARRAY['a', 'b'], ARRAY[2]) AS u(a, b, c)", "-N-",
      false },
};
/* clang-format on */

#endif
