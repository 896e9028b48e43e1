-- name: CreateBook :one
INSERT INTO books (book_id, author_id, title, price, published, embedding, half, cover, meta, raw,
                   reading_time, opens, stars, weight, pages, in_print, seen, sizes)
VALUES (@book_id, @author_id, @title, @price, @published, @embedding, @half, @cover, @meta, @raw,
        @reading_time, @opens, @stars, @weight, @pages, @in_print, @seen, @sizes)
RETURNING *;

-- name: GetBook :one
SELECT * FROM books WHERE book_id = @book_id;

-- name: ListBooksWithAuthor :many
SELECT sqlc.embed(b), sqlc.embed(a) FROM books b JOIN authors a ON a.author_id = b.author_id
ORDER BY b.title;

-- name: ListAuthorsWithBook :many
SELECT sqlc.embed(a), sqlc.embed(b), (b.price IS NULL) AS free
FROM authors a LEFT JOIN books b ON b.author_id = a.author_id
ORDER BY a.author_id, b.title;

-- name: ListArticles :many
SELECT sqlc.embed(articles), now()::date AS today FROM articles ORDER BY article_id;

-- name: AddArticle :execrows
INSERT INTO articles (article_id, "Weird Name") VALUES (@article_id, @weird_name);

-- name: ListProlific :many
SELECT * FROM prolific ORDER BY author_id;

-- name: ListOrders :many
SELECT * FROM shop.orders;

-- name: Nearest :many
-- @unnamed
-- @read_only
SELECT title, embedding <-> @query::vector AS distance
FROM books WHERE embedding IS NOT NULL
ORDER BY embedding <-> @query::vector LIMIT @row_limit;

-- name: LongText :one
SELECT 'This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. This text is so long that no portable string literal holds it. ' AS words;
