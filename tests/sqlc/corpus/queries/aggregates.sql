-- name: Counts :one
SELECT count(*) AS everything, count(email) AS mails, count(DISTINCT boss) AS bosses FROM people;

-- name: Sums :one
SELECT sum(size) AS bytes, avg(size) AS mean, min(title::text) AS first, max(taken) AS latest
    FROM assets;

-- name: GroupedSums :many
SELECT kind, sum(size) AS bytes, avg(size) AS mean, max(title::text) AS last FROM assets GROUP
    BY kind;

-- name: GroupedNullable :many
SELECT owner, sum(width) AS wide, stddev(size) AS spread FROM assets GROUP BY owner;

-- name: Having :many
SELECT owner, count(*) AS n FROM assets GROUP BY owner HAVING count(*) > @least::bigint;

-- name: HavingNotNull :many
SELECT owner, count(*) AS n FROM assets GROUP BY owner HAVING owner IS NOT NULL;

-- name: ArrayAgg :many
SELECT owner, array_agg(title::text) AS titles, array_agg(width) AS widths FROM assets GROUP BY
    owner;

-- name: StringAgg :one
SELECT string_agg(name, ', ' ORDER BY id) AS names FROM people;

-- name: BoolAgg :one
SELECT bool_and(active) AS all_active, bool_or(active) AS any_active, every(score > 0) AS
    positive FROM people;

-- name: JsonAgg :one
SELECT json_agg(name) AS j, jsonb_object_agg(id, name) AS o FROM people;

-- name: FilterAgg :one
SELECT count(*) FILTER (WHERE active) AS active, sum(score) FILTER (WHERE active) AS score FROM
    people;

-- name: Rollup :many
SELECT kind, owner, count(*) AS n FROM assets GROUP BY ROLLUP (kind, owner);

-- name: GroupingSets :many
SELECT kind, grouping(kind) AS g, count(*) AS n FROM assets GROUP BY GROUPING SETS ((kind), ());

-- name: Cube :many
SELECT kind, was, count(*) AS n FROM assets GROUP BY CUBE (kind, was);

-- name: Percentile :one
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY size) AS median, mode() WITHIN GROUP (ORDER
    BY kind) AS usual FROM assets;

-- name: GroupByNumber :many
SELECT lower(title) AS low, count(*) FROM assets GROUP BY 1;

-- name: RowNumber :many
SELECT title, row_number() OVER (ORDER BY added) AS n, rank() OVER (ORDER BY size) AS r FROM
    assets;

-- name: LagLead :many
SELECT title, lag(title) OVER w AS before, lead(size, 1, 0::bigint) OVER w AS after FROM assets
    WINDOW w AS (ORDER BY added);

-- name: FirstLast :many
SELECT first_value(title) OVER w AS first, last_value(width) OVER w AS last, nth_value(size, 2)
    OVER w AS second FROM assets WINDOW w AS (PARTITION BY kind ORDER BY size);

-- name: RunningSum :many
SELECT sum(size) OVER (ORDER BY added) AS total, avg(width) OVER () AS mean FROM assets;

-- name: FrameExclude :many
SELECT sum(size) OVER (ORDER BY added ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT
    ROW) AS around FROM assets;

-- name: ScalarAggregate :many
SELECT name, (SELECT count(*) FROM assets a WHERE a.owner = p.id) AS n, (SELECT max(size) FROM
    assets a WHERE a.owner = p.id) AS largest FROM people p;
