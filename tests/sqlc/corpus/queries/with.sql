-- name: SimpleCte :many
WITH c AS (SELECT * FROM people WHERE active) SELECT id, email FROM c;

-- name: CteStar :many
WITH c AS (SELECT id, name FROM people) SELECT * FROM c;

-- name: CteNames :many
WITH c (a, b) AS (SELECT id, email FROM people) SELECT a, b FROM c;

-- name: CteParam :many
WITH c AS (SELECT id FROM people WHERE name = @name) SELECT a.title FROM assets a JOIN c ON c.id
    = a.owner;

-- name: RecursiveCte :many
WITH RECURSIVE up AS (SELECT id, name, parent FROM albums WHERE id = @id UNION ALL SELECT a.id,
    a.name, a.parent FROM albums a JOIN up ON a.id = up.parent) SELECT id, name, parent FROM up;

-- name: RecursiveCounter :many
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n;

-- name: RecursiveDepth :many
WITH RECURSIVE t AS (SELECT id, 0 AS depth FROM albums WHERE parent IS NULL UNION ALL SELECT
    a.id, t.depth + 1 FROM albums a JOIN t ON a.parent = t.id) SELECT * FROM t;

-- name: MaterializedCte :many
WITH c AS MATERIALIZED (SELECT name FROM people) SELECT name FROM c;

-- name: DeletingCte :many
WITH gone AS (DELETE FROM thumbs WHERE kind = @kind RETURNING id, path) SELECT id, path FROM
    gone;

-- name: InsertingCte :one
WITH new AS (INSERT INTO albums (id, name) VALUES (@id, @name) RETURNING id) SELECT id FROM new;

-- name: UpdatingCte :many
WITH c AS (UPDATE people SET nick = @nick WHERE id = @id RETURNING *) SELECT id, nick FROM c;

-- name: CteInsertSelect :exec
WITH c AS (SELECT id, name FROM people) INSERT INTO albums (id, name) SELECT id::int + 100, name
    || id FROM c;

-- name: UnionRows :many
SELECT id, name FROM people UNION SELECT id, name FROM albums;

-- name: UnionAllNull :many
SELECT name FROM people UNION ALL SELECT NULL;

-- name: IntersectRows :many
SELECT id FROM people INTERSECT SELECT boss FROM people;

-- name: ExceptRows :many
SELECT boss FROM people EXCEPT SELECT id FROM people;

-- name: UnionStar :many
SELECT * FROM albums UNION ALL SELECT * FROM albums;

-- name: ScalarSubSelect :many
SELECT name, (SELECT title FROM assets a WHERE a.owner = p.id LIMIT 1) AS title FROM people p;

-- name: ArraySubSelect :many
SELECT name, ARRAY(SELECT size FROM assets a WHERE a.owner = p.id) AS sizes FROM people p;

-- name: AnySubSelect :many
SELECT name FROM people WHERE id = ANY (SELECT owner FROM assets);

-- name: AllSubSelect :many
SELECT title FROM assets WHERE size >= ALL (SELECT size FROM assets WHERE kind = @kind);

-- name: FromSubSelect :many
SELECT s.n FROM (SELECT count(*) AS n FROM people) AS s;

-- name: ReadAssetList :many
SELECT * FROM asset_list;

-- name: ReadOwners :many
SELECT * FROM owners;

-- name: ReadTitles :many
SELECT * FROM titles;

-- name: ViewColumn :many
SELECT owner_name FROM asset_list WHERE owner_name IS NOT NULL;
