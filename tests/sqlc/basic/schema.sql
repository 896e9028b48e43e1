CREATE EXTENSION IF NOT EXISTS vector;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', 'very-happy', '?');
COMMENT ON TYPE mood IS 'How a person feels */ today.';

CREATE DOMAIN positive AS integer CHECK (VALUE > 0);

CREATE TABLE authors (
    author_id  bigserial PRIMARY KEY,
    name       text NOT NULL,
    bio        text,
    feels      mood NOT NULL DEFAULT 'ok',
    felt       mood,
    age        positive,
    tags       text[] NOT NULL DEFAULT '{}',
    class      varchar(20),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE authors IS 'People who write.';
COMMENT ON COLUMN authors.bio IS 'Life /* and work.';

CREATE TABLE books (
    book_id      uuid PRIMARY KEY,
    author_id    bigint NOT NULL REFERENCES authors,
    title        text NOT NULL,
    price        numeric(10,2),
    published    date,
    embedding    vector(3),
    half         halfvec(3),
    cover        bytea,
    meta         jsonb NOT NULL DEFAULT '{}',
    raw          json,
    reading_time interval,
    opens        time,
    stars        real,
    weight       double precision,
    pages        smallint,
    in_print     boolean,
    seen         timestamp,
    sizes        integer[]
);

-- The snapshot has no C type: the model leaves it out.
CREATE TABLE articles (
    article_id integer PRIMARY KEY,
    "Weird Name" text NOT NULL,
    words      pg_snapshot NOT NULL DEFAULT '1:1:',
    author_id  bigint REFERENCES authors
);

CREATE SCHEMA shop;
CREATE TABLE shop.orders (order_id integer PRIMARY KEY, note text);

CREATE VIEW prolific AS SELECT author_id, count(*) AS books FROM books GROUP BY author_id;
