-- name: GetPerson :one
SELECT * FROM people WHERE id = $1;

-- name: ListPeople :many
SELECT * FROM people ORDER BY id;

-- name: ListPeopleOfBoss :many
SELECT * FROM people WHERE boss = @boss ORDER BY name;

-- name: PersonName :one
SELECT name FROM people WHERE id = @id;

-- name: PersonEmail :one
SELECT email FROM people WHERE id = @id;

-- name: PersonBorn :one
SELECT born FROM people WHERE id = @id;

-- name: PersonIsActive :one
SELECT active FROM people WHERE id = @id;

-- name: PersonScore :one
SELECT score FROM people WHERE id = @id;

-- name: PersonMeta :one
SELECT meta FROM people WHERE id = @id;

-- name: PersonPair :one
SELECT id, name FROM people WHERE id = @id;

-- name: CountPeople :one
SELECT count(*) FROM people;

-- name: HasPeople :one
SELECT EXISTS (SELECT * FROM people);

-- name: Nothing :many
SELECT id FROM people WHERE false;

-- name: Constants :one
SELECT 1, 'x', NULL::text AS nothing, true AS yes, 1.5 AS half;

-- name: OneConstant :one
SELECT 7;

-- name: Expressions :many
SELECT id + 1 AS next, -score AS neg, name || '!' AS loud, email || '!' AS maybe, NOT active AS
    idle FROM people;

-- name: Comparisons :many
SELECT id > 1 AS later, email = 'x' AS is_x, email IS NULL AS no_mail, email IS DISTINCT FROM
    'x' AS other FROM people;

-- name: Cases :many
SELECT CASE WHEN active THEN 1 ELSE 0 END AS flag, CASE WHEN active THEN 1 END AS maybe, CASE id
    WHEN 1 THEN 'a' ELSE name END AS word FROM people;

-- name: Coalesces :many
SELECT coalesce(email, '-') AS mail, coalesce(email, nick) AS any_name, nullif(name, '') AS
    real_name, greatest(score, 0) AS best, least(born, created::date) AS first FROM people;

-- name: Casts :many
SELECT id::int AS small, id::text AS word, born::text AS born, created::date AS day,
    score::numeric AS exact, created::time AS clock FROM people;

-- name: Strings :many
SELECT lower(name) AS low, length(email) AS len, substring(name, 1, 2) AS head, name LIKE 'A%'
    AS starts, email ~ 'x' AS matches FROM people;

-- name: Dates :many
SELECT now() AS now, created - now() AS age, date_trunc('day', created) AS day, extract(year
    FROM born) AS year, current_date AS today, to_char(created, 'YYYY') AS text FROM people;

-- name: Distinct :many
SELECT DISTINCT active FROM people;

-- name: DistinctOn :many
SELECT DISTINCT ON (boss) boss, name FROM people ORDER BY boss, id;

-- name: LimitOffset :many
SELECT id FROM people ORDER BY id LIMIT $1 OFFSET $2;

-- name: LimitNamed :many
SELECT id, name FROM people ORDER BY id LIMIT sqlc.arg(max_rows);

-- name: FetchFirst :many
SELECT id FROM people ORDER BY id FETCH FIRST 2 ROWS ONLY;

-- name: ForUpdate :one
SELECT id, name FROM people WHERE id = @id FOR UPDATE SKIP LOCKED;

-- name: OrderByExpression :many
SELECT name FROM people ORDER BY coalesce(email, '') COLLATE "C" DESC NULLS LAST;

-- name: InList :many
SELECT id FROM people WHERE id IN (1, 2, $1);

-- name: InSelect :many
SELECT name FROM people WHERE id IN (SELECT boss FROM people WHERE name = @name);

-- name: NotInSelect :many
SELECT name FROM people WHERE id NOT IN (SELECT id FROM people WHERE name = @name);

-- name: BetweenIds :many
SELECT id FROM people WHERE id BETWEEN @low AND @high;

-- name: TupleCompare :many
SELECT id FROM people WHERE (name, id) > (@name, @id) ORDER BY name, id;

-- name: WhereNotNull :many
SELECT email FROM people WHERE email IS NOT NULL;

-- name: WhereEquals :many
SELECT email FROM people WHERE email = @email;

-- name: TableStar :many
SELECT p.* FROM people AS p WHERE p.active;

-- name: WholeRowField :many
SELECT (p).name, (p).email FROM people p;

-- name: SystemColumns :many
SELECT tableoid, name FROM people;

-- name: ValuesList :many
VALUES (1, 'a'), (2, NULL);

-- name: GenerateSeries :many
SELECT n FROM generate_series(1, @top::int) AS n;

-- name: SeriesWithOrdinality :many
SELECT x, i FROM unnest(@words::text[]) WITH ORDINALITY AS t(x, i);

-- name: TwoUnnests :many
SELECT a, b FROM unnest(@ids::int[], @names::text[]) AS t(a, b);

-- name: OwnFunction :one
SELECT double_it(@n);

-- name: OwnTable :many
SELECT * FROM find_assets(@word);

-- name: OwnSet :many
SELECT * FROM all_people();

-- name: NoParams :many
SELECT id FROM people WHERE name = '@not_a_param' AND email <> 'sqlc.arg(x)';
