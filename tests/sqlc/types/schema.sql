-- One column of every type that has a C form, NOT NULL and nullable.
CREATE EXTENSION vector;
CREATE EXTENSION citext;
CREATE TYPE "Mood */" AS ENUM ('sad', 'very happy', '');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
COMMENT ON TYPE "Mood */" IS 'How it feels.';
CREATE TABLE every_type (
    id bigint PRIMARY KEY,
    t_bool bool NOT NULL, o_bool bool, t_int2 int2 NOT NULL, o_int2 int2,
    t_int4 int4 NOT NULL, o_int4 int4, t_int8 int8 NOT NULL, o_int8 int8,
    t_oid oid NOT NULL, o_oid oid, t_float4 float4 NOT NULL, o_float4 float4,
    t_float8 float8 NOT NULL, o_float8 float8, t_uuid uuid NOT NULL, o_uuid uuid,
    t_timestamptz timestamptz NOT NULL, o_timestamptz timestamptz,
    t_timestamp timestamp NOT NULL, o_timestamp timestamp, t_date date NOT NULL, o_date date,
    t_time time NOT NULL, o_time time, t_interval interval NOT NULL, o_interval interval,
    t_text text NOT NULL, o_text text, t_varchar varchar(9) NOT NULL, o_varchar varchar(9),
    t_char char(3) NOT NULL, o_char char(3), t_name name NOT NULL, o_name name,
    t_citext citext NOT NULL, o_citext citext, t_bytea bytea NOT NULL, o_bytea bytea,
    t_json json NOT NULL, o_json json, t_jsonb jsonb NOT NULL, o_jsonb jsonb,
    t_numeric numeric NOT NULL, o_numeric numeric(10, 2), t_vector vector(3) NOT NULL,
    o_vector vector, t_halfvec halfvec(3) NOT NULL, o_halfvec halfvec,
    t_enum "Mood */" NOT NULL, o_enum "Mood */", t_domain positive NOT NULL, o_domain positive,
    t_bools bool[] NOT NULL, o_bools bool[], t_int2s int2[] NOT NULL, o_int2s int2[],
    t_int4s int4[] NOT NULL, o_int4s int4[], t_int8s int8[] NOT NULL, o_int8s int8[],
    t_float4s float4[] NOT NULL, o_float4s float4[], t_float8s float8[] NOT NULL,
    o_float8s float8[], t_texts text[] NOT NULL, o_texts text[], t_varchars varchar[] NOT NULL,
    o_varchars varchar[], t_uuids uuid[] NOT NULL, o_uuids uuid[],
    t_timestamptzs timestamptz[] NOT NULL, o_timestamptzs timestamptz[],
    left_out pg_snapshot
);
CREATE TABLE owners (id int PRIMARY KEY, "class" text NOT NULL, thing bigint REFERENCES every_type);
COMMENT ON TABLE owners IS 'Ends here */ or not.';
COMMENT ON COLUMN owners.class IS 'A /* word.';
