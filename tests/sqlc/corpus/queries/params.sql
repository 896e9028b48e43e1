-- name: ByBool :many
SELECT id FROM scalars WHERE c_bool = @v;

-- name: ByInt2 :many
SELECT id FROM scalars WHERE c_int2 = @v;

-- name: ByInt4 :many
SELECT id FROM scalars WHERE c_int4 = @v;

-- name: ByInt8 :many
SELECT id FROM scalars WHERE c_int8 = @v;

-- name: ByFloat4 :many
SELECT id FROM scalars WHERE c_float4 = @v;

-- name: ByFloat8 :many
SELECT id FROM scalars WHERE c_float8 = @v;

-- name: ByText :many
SELECT id FROM scalars WHERE c_text = @v;

-- name: ByVarchar :many
SELECT id FROM scalars WHERE c_varchar = @v;

-- name: ByChar :many
SELECT id FROM scalars WHERE c_char = @v;

-- name: ByName :many
SELECT id FROM scalars WHERE c_name = @v;

-- name: ByBytea :many
SELECT id FROM scalars WHERE c_bytea = @v;

-- name: ByUuid :many
SELECT id FROM scalars WHERE c_uuid = @v;

-- name: ByDate :many
SELECT id FROM scalars WHERE c_date = @v;

-- name: ByTime :many
SELECT id FROM scalars WHERE c_time = @v;

-- name: ByTimestamp :many
SELECT id FROM scalars WHERE c_timestamp = @v;

-- name: ByTimestamptz :many
SELECT id FROM scalars WHERE c_timestamptz = @v;

-- name: ByInterval :many
SELECT id FROM scalars WHERE c_interval = @v;

-- name: ByNumeric :many
SELECT id FROM scalars WHERE c_numeric = @v;

-- name: ByJsonb :many
SELECT id FROM scalars WHERE c_jsonb = @v;

-- name: ByOid :many
SELECT id FROM scalars WHERE c_oid = @v;

-- name: ByEnum :many
SELECT id FROM scalars WHERE c_kind = @v;

-- name: ByDomain :many
SELECT id FROM scalars WHERE c_stars = @v;

-- name: SetScalars :execrows
UPDATE scalars SET c_bool = @a, c_int2 = @b, c_int4 = @c, c_int8 = @d, c_float4 = @e, c_float8 =
    @f, c_text = @g, c_varchar = @h, c_char = @i, c_name = @j, c_bytea = @k, c_uuid = @l, c_date =
    @m, c_time = @n, c_timestamp = @o, c_timestamptz = @p, c_interval = @q, c_numeric = @r, c_json =
    @s, c_jsonb = @t, c_oid = @u, c_kind = @v, c_stars = @w WHERE id = 1;

-- name: SetArrays :execrows
UPDATE arrays SET a_bool = @a, a_int2 = @b, a_int4 = @c, a_int8 = @d, a_float4 = @e, a_float8 =
    @f, a_text = @g, a_varchar = @h, a_uuid = @i, a_timestamptz = @j WHERE id = 1;

-- name: ReadScalars :many
SELECT * FROM scalars ORDER BY id;

-- name: ReadArrays :many
SELECT * FROM arrays ORDER BY id;

-- name: ReadUnusable :many
SELECT id, words::text AS words, place::text AS place, name FROM unusable;

-- name: AnyIds :many
SELECT title FROM assets WHERE id = ANY(@ids::uuid[]);

-- name: SliceIds :many
SELECT title FROM assets WHERE id IN (sqlc.slice(ids));

-- name: NotSlice :many
SELECT title FROM assets WHERE id NOT IN (sqlc.slice(ids));

-- name: SliceText :many
SELECT id FROM people WHERE name IN (sqlc.slice('names')) AND active = @active;

-- name: SameParamTwice :many
SELECT id FROM people WHERE name = @word OR nick = @word;

-- name: OptionalFilter :many
SELECT id FROM people WHERE (sqlc.narg(name)::text IS NULL OR name = sqlc.narg(name));

-- name: NargAndArg :many
SELECT id FROM people WHERE name = sqlc.arg(name) AND email = sqlc.narg(email);

-- name: NumberedGap :many
SELECT id FROM people WHERE id = $2 AND name = $1;

-- name: MixedStyles :many
SELECT id FROM people WHERE id = $1 AND name = @name AND email = sqlc.arg('mail');

-- name: ReservedParams :many
SELECT id FROM people WHERE name = @class AND nick = @int AND id = @default;

-- name: LocalNames :one
SELECT count(*) FROM people WHERE name = @value;

-- name: LocalReader :one
SELECT count(*) FROM people WHERE name = @reader;

-- name: LocalOut :many
SELECT id, name FROM people WHERE name = @out;

-- name: LocalDb :exec
DELETE FROM jobs WHERE id = @db;

-- name: LocalArgs :many
SELECT name FROM people WHERE name = @args;

-- name: LocalStatus :execrows
DELETE FROM jobs WHERE id = @affected;

-- name: QuotedParam :many
SELECT id FROM people WHERE name = sqlc.arg("Some Name");

-- name: JsonPath :many
SELECT data -> 'k' AS k, data ->> 'k' AS t, data #>> '{a,b}' AS deep, data ? 'k' AS has_k FROM
    assets WHERE data @> @part;

-- name: JsonBuild :many
SELECT jsonb_build_object('id', id, 'name', name) AS j, to_jsonb(p) AS r FROM people p;

-- name: JsonEach :many
SELECT key, value FROM jsonb_each_text('{"a": "b"}');

-- name: JsonElements :many
SELECT e FROM jsonb_array_elements(jsonb_build_array(@one::jsonb)) AS e;

-- name: ArrayOps :many
SELECT tags || @more::text[] AS all_tags, tags[1] AS first, cardinality(tags) AS n, @one::text =
    ANY(tags) AS has FROM assets;

-- name: ArrayLiteral :one
SELECT ARRAY[1, 2, 3] AS a, ARRAY['x', NULL] AS b, '{}'::int8[] AS c;

-- name: VectorSearch :many
SELECT asset, v <-> @q::vector AS distance FROM embeddings ORDER BY distance LIMIT 5;

-- name: VectorRead :many
SELECT * FROM embeddings ORDER BY asset;

-- name: VectorCosine :many
SELECT 1 - (v <=> @q) AS score FROM embeddings;

-- name: EnumRead :many
SELECT kind, was FROM assets;

-- name: EnumScalar :one
SELECT kind FROM assets LIMIT 1;

-- name: EnumOptional :many
SELECT was FROM assets;

-- name: EnumCast :many
SELECT id FROM assets WHERE kind = @k::kind;

-- name: EnumText :many
SELECT kind::text AS word, was::text AS old FROM assets;

-- name: UnnamedColumns :many
SELECT id + 1, 'x', id * 2 FROM people;

-- name: OddColumns :many
SELECT * FROM "Odd Table";

-- name: OddNames :many
SELECT "Group" AS "Group Name", "order" AS "ORDER", "select" FROM "Odd Table";

-- name: KeywordColumns :many
SELECT "order" AS int, "class" AS register, "select" AS "while" FROM "Odd Table";

-- name: NumberedCollision :many
SELECT id AS x, name AS x_2, email AS x FROM people;
