/* The compiler as a plugin of upstream's sqlc: requests made here, the C that comes out, and what
 * is refused with which words. No server. */
#include "base/prelude.h"

#include "base/file.h"
#include "base/proc.h"
#include "sqlc/plugin_request.h"

#include "oom.h"
#include "plug.h"
#include "plug_json.h"
#include "tmpdir.h"

#define OPTIONS "{\"prefix\": \"lib\", \"emit_sql_as_comment\": false}"

typedef struct world {
    sqlc_bench bench;
    plug plug;
    pgc_status status;
    pgc_error err;
    buf out;
    Plugin__GenerateResponse *response; /* NULL until it went well */
} world;

static void begin(world *w, const char *options)
{
    *w = (world) { .bench = sqlc_bench_make(NULL) };
    buf_init(&w->out, NULL, (size_t) 16 << 20);
    plug_init(&w->plug, w->bench.arena, options);
    plug_enum(&w->plug, "mood", "sad,ok,very happy");
    plug_table(&w->plug, "authors",
               "author_id:bigserial!,name:text!,bio:text,mood:mood!,tags:text[]!");
    plug_table(&w->plug, "books",
               "book_id:pg_catalog/int4!,author_id:pg_catalog/int8!,title:text!,isbn:text");
    plug_table(&w->plug, "shop.orders", "id:uuid!,total:money");
}

static void end(world *w)
{
    if (w->response != NULL) {
        plugin__generate_response__free_unpacked(w->response, NULL);
    }
    buf_done(&w->out);
    sqlc_bench_done(&w->bench);
}

static bool run_bytes(world *w, slice bytes)
{
    w->status = plugin_generate(w->bench.arena, bytes, &w->bench.diags, &w->out, &w->err);
    if (w->status == PGC_OK) {
        slice answer = buf_view(&w->out);
        w->response =
            plugin__generate_response__unpack(NULL, answer.len, (const uint8_t *) answer.ptr);
    }
    return w->response != NULL;
}

/* The same request as JSON: the same files. */
static bool json_gives_the_same(world *w)
{
    diag_list diags = { .arena = w->bench.arena };
    AUTO(buf_auto) buf out;
    pgc_error err = PGC_ZERO;
    buf_init(&out, NULL, (size_t) 16 << 20);
    pgc_status status = plugin_generate(w->bench.arena, plug_json(&w->plug), &diags, &out, &err);
    return CHECK_STATUS(status, PGC_OK, &err) &&
           CHECK(plug_same_answer(w->response, buf_view(&out)));
}

static bool run(world *w)
{
    bool good = run_bytes(w, plug_pack(&w->plug));
    CHECK(!good || json_gives_the_same(w));
    if (!good) {
        printf("# %s\n# %s\n", w->err.message, sqlc_diags(&w->bench));
    }
    return good;
}

/* A file of the answer; "" when there is none. */
static const char *file(world *w, const char *name)
{
    for (size_t i = 0; w->response != NULL && i < w->response->n_files; i++) {
        const Plugin__File *f = w->response->files[i];
        slice file_name = { (const char *) f->name.data, f->name.len };
        if (slice_eq_str(file_name, name)) {
            return arena_copy(w->bench.arena,
                              (slice) { (const char *) f->contents.data, f->contents.len });
        }
    }
    return "";
}

static void has(world *w, const char *name, const char *words)
{
    if (!CHECK(strstr(file(w, name), words) != NULL)) {
        printf("# \"%s\" is not in %s\n", words, name);
    }
}

static void lacks(world *w, const char *name, const char *words)
{
    if (!CHECK(strstr(file(w, name), words) == NULL)) {
        printf("# \"%s\" is in %s\n", words, name);
    }
}

/* The run fails with these words in a diagnostic, and nothing comes out. */
static void refused(world *w, const char *path, const char *words)
{
    CHECK(!run_bytes(w, plug_pack(&w->plug)));
    CHECK_INT(w->status, PGC_INVALID);
    CHECK_INT(w->out.len, 0);
    bool found = false;
    for (size_t i = 0; i < w->bench.diags.items.count; i++) {
        const diag *d = VEC_AT(&w->bench.diags.items, diag, i);
        found = found || (strcmp(d->path, path) == 0 && strstr(d->message, words) != NULL);
        CHECK_INT(d->line, 0);
    }
    if (!CHECK(found)) {
        printf("# wanted: %s: %s\n# got: %s\n", path, words, sqlc_diags(&w->bench));
    }
}

/* One query of the usual world that is refused. */
static void refuses_query(const char *annotation, const char *text, const char *columns,
                          const char *params, const char *words)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(&w.plug, annotation, text, columns, params);
    refused(&w, "a.sql: Q", words);
    end(&w);
}

static void every_command_becomes_its_function(void)
{
    world w;
    begin(&w, OPTIONS);
    const char *author = "author_id:bigserial!@authors.author_id,name:text!@authors.name,"
                         "bio:text@authors.bio,mood:mood!@authors.mood,tags:text[]!@authors.tags";
    plug_query(&w.plug, "GetAuthor :one",
               "SELECT author_id, name, bio, mood, tags FROM authors WHERE author_id = $1", author,
               "author_id:bigserial!@authors.author_id");
    plug_query(&w.plug, "ListNames :many", "SELECT name FROM authors LIMIT $1",
               "name:text!@authors.name", "limit:integer!");
    plug_query(&w.plug, "Forget :exec", "DELETE FROM authors WHERE bio = $1", "",
               "bio:text@authors.bio");
    plug_query(&w.plug, "ForgetAll :execrows", "DELETE FROM authors", "", "");
    plug_query(&w.plug, "Touch :execresult", "UPDATE authors SET bio = $1", "",
               "bio:text@public.authors.bio");
    w.plug.file = "Book-List.sql";
    plug_query(&w.plug, "AddBooks :copyfrom",
               "INSERT INTO books (book_id, author_id, title) VALUES ($1, $2, $3)", "",
               "book_id:pg_catalog.int4!@public.books.book_id,"
               "author_id:pg_catalog.int8!@public.books.author_id,title:text!@public.books.title");
    plug_query(&w.plug, "SetIsbn :batchexec", "UPDATE books SET isbn = $1 WHERE book_id = $2", "",
               "isbn:text@public.books.isbn,book_id:pg_catalog.int4!@books.book_id");
    if (run(&w)) {
        CHECK_INT(w.response->n_files, 6);
        has(&w, "models.h", "typedef struct lib_author {");
        has(&w, "models.h", "lib_shop_order");
        has(&w, "a.h",
            "pgc_status lib_get_author(pgc_db *db, int64_t author_id, lib_author_set *out");
        has(&w, "a.h",
            "pgc_status lib_list_names(pgc_db *db, int64_t limit, lib_list_names_set *out");
        has(&w, "a.h", "pgc_status lib_forget(pgc_db *db, pgc_text bio, pgc_error *err)");
        has(&w, "a.h", "pgc_status lib_forget_all(pgc_db *db, int64_t *affected, pgc_error *err)");
        has(&w, "a.h", "pgc_status lib_touch(pgc_db *db, pgc_text bio, pgc_result **out");
        has(&w, "book_list.h",
            "pgc_status lib_add_books(pgc_db *db, const lib_add_books_params *rows");
        has(&w, "book_list.h", "pgc_status lib_set_isbn_add(pgc_pipeline *batch");
        has(&w, "book_list.c", "parameter title must not be NULL");
        has(&w, "a.c", "\"-- name: ForgetAll :execrows\\n\"");
        has(&w, "models.c", "lib_schema_check(pgc_db *db");
        has(&w, "models.c", "bigint");
    }
    end(&w);
}

static void types_are_found_by_upstreams_spelling(void)
{
    static const struct {
        const char *type, *member;
    } CASES[] = {
        { "bigserial!", "int64_t x;" },
        { "serial!", "int32_t x;" },
        { "smallserial!", "int16_t x;" },
        { "pg_catalog/int4!", "int32_t x;" },
        { "pg_catalog.int8!", "int64_t x;" },
        { "bigint!", "int64_t x;" },
        { "int!", "int32_t x;" },
        { "integer!", "int32_t x;" },
        { "integer", "pgc_opt_i32 x;" },
        { "pg_catalog/bool!", "bool x;" },
        { "bool!", "bool x;" },
        { "pg_catalog/varchar!", "pgc_text x;" },
        { "pg_catalog/bpchar!", "pgc_text x;" },
        { "char!", "char x;" },
        { "timestamptz!", "pgc_timestamptz x;" },
        { "pg_catalog/timestamp!", "pgc_timestamp x;" },
        { "pg_catalog/numeric!", "pgc_numeric x;" },
        { "pg_catalog/float8!", "double x;" },
        { "float!", "double x;" },
        { "real!", "float x;" },
        { "pg_catalog/interval!", "pgc_interval x;" },
        { "jsonb", "pgc_text x;" },
        { "uuid[]!", "pgc_arr_uuid x;" },
        { "pg_catalog/varchar[]!", "pgc_arr_text x;" },
        { "date", "pgc_opt_date x;" },
        { "vector!", "pgc_vector x;" },
        { "public/vector[]!", "pgc_arr_vector x;" },
        { "halfvec", "pgc_halfvec x;" },
        { "citext!", "pgc_text x;" },
        { "hstore", "pgc_hstore x;" },
        { "mood", "lib_opt_mood x;" },
        { "public.mood!", "lib_mood x;" },
        { "mood[]!", "lib_arr_mood x;" },
        { "shop.kind!", "lib_shop_kind x;" },
        { "shop/Odd Kind!", "lib_shop_odd_kind x;" },
        { "tstzrange!", "pgc_range_timestamptz x;" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        world w;
        begin(&w, OPTIONS);
        plug_enum(&w.plug, "shop.kind", "a");
        plug_enum(&w.plug, "shop.Odd Kind", "a");
        const char *columns = arena_printf(w.bench.arena, "x:%s,y:text", CASES[i].type);
        plug_query(&w.plug, "Q :one", "SELECT x, y FROM somewhere()", columns, "");
        if (run(&w)) {
            has(&w, "a.h", CASES[i].member);
        }
        end(&w);
    }
}

static void nulls_are_upstreams_word(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(
        &w.plug, "Q :one", "SELECT b.title, b.isbn, b.book_id FROM books b WHERE isbn = $1",
        "title:text@books.title,isbn:text!@books.isbn,book_id:pg_catalog/int4!@books.book_id",
        "isbn:text@books.isbn");
    plug_query(&w.plug, "P :exec", "UPDATE books SET isbn = $1 WHERE title = $2", "",
               "isbn:text@public.books.isbn,title:text!@books.title");
    if (run(&w)) {
        has(&w, "a.h", "pgc_text title; /**< text; nullable: says sqlc */");
        has(&w, "a.h", "pgc_text isbn; /**< text; not NULL: says sqlc */");
        has(&w, "a.h", "int32_t book_id; /**< integer; not NULL: books.book_id is NOT NULL */");
        has(&w, "a.h", "@param isbn text, books.isbn; nullable: says sqlc.");
        has(&w, "a.h", "nullable: stored in a nullable column */");
        lacks(&w, "a.c", "parameter isbn must not be NULL");
        has(&w, "a.c", "query P: parameter title must not be NULL");
    }
    end(&w);
}

static void the_config_knows_better(void)
{
    world w;
    begin(&w, "{\"prefix\": \"lib\", \"rename\": {\"book\": \"tome\"}, \"overrides\": "
              "[{\"column\": \"books.isbn\", \"nullable\": false}, "
              "{\"column\": \"books.title\", \"nullable\": true}, "
              "{\"db_type\": \"money\", \"c_type\": \"lsn\"}]}");
    plug_query(&w.plug, "Q :one", "SELECT title, isbn FROM books WHERE isbn = $1",
               "title:text!@books.title,isbn:text@books.isbn", "isbn:text@books.isbn");
    plug_query(&w.plug, "L :one",
               "SELECT b.isbn, a.author_id FROM authors a LEFT JOIN books b ON b.author_id = "
               "a.author_id",
               "isbn:text@books.isbn,author_id:bigserial!@authors.author_id", "");
    if (run(&w)) {
        has(&w, "models.h", "typedef struct lib_tome {");
        has(&w, "a.h", "pgc_text title; /**< text; nullable");
        has(&w, "a.h",
            "pgc_text isbn; /**< text; not NULL: books.isbn is never NULL: says the config */");
        has(&w, "a.c", "parameter isbn must not be NULL");
        has(&w, "models.h", "pgc_opt_lsn total;");
        has(&w, "a.h", "pgc_text isbn; /**< text; nullable: left join of b */");
    }
    end(&w);
}

static void parameters_keep_upstreams_names(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(&w.plug, "Q :exec",
               "DELETE FROM books WHERE book_id BETWEEN $1 AND $2 AND title = $3 AND isbn = $4", "",
               "book_id:pg_catalog.int4!@books.book_id,book_id:pg_catalog.int4!@books.book_id,"
               "wantedTitle:text!@books.title,:text!");
    Plugin__Query *q =
        plug_query(&w.plug, "Back :exec", "DELETE FROM books WHERE title = $2 AND isbn = $1", "",
                   "two:text!,one:text!");
    q->params[0]->number = 2;
    q->params[1]->number = 1;
    if (run(&w)) {
        has(&w, "a.h", "int32_t book_id;");
        has(&w, "a.h", "int32_t book_id_2;");
        has(&w, "a.h", "pgc_text wanted_title;");
        has(&w, "a.h", "pgc_text isbn; /**< text; not NULL */"); /* named after its place */
        const char *back = strstr(file(&w, "a.h"), "typedef struct lib_back_params");
        REQUIRE(back != NULL);
        CHECK(strstr(back, " one;") < strstr(back, " two;"));
    }
    end(&w);
}

static void slices_become_arrays(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(&w.plug, "In :exec",
               "DELETE FROM books WHERE book_id IN ($1) AND 'IN ($1)' <> title", "",
               "ids:pg_catalog.int4!~@books.book_id");
    plug_query(&w.plug, "NotIn :exec", "DELETE FROM books WHERE book_id NOT  IN( $1 ) OR NOT false",
               "", "ids:pg_catalog.int4!~@books.book_id");
    plug_query(&w.plug, "More :exec", "DELETE FROM books WHERE book_id IN ($1)", "",
               "id:pg_catalog.int4!@books.book_id");
    plug_query(&w.plug, "AnyOf :exec", "DELETE FROM books WHERE book_id = ANY($1)", "",
               "ids:pg_catalog.int4!@books.book_id");
    plug_query(&w.plug, "Cast :exec", "DELETE FROM books WHERE title = ANY($1::text[])", "",
               "titles:text[]!");
    if (run(&w)) {
        has(&w, "a.c", "WHERE book_id = ANY($1) AND 'IN ($1)' <> title\"");
        has(&w, "a.c", "WHERE book_id <> ALL($1) OR NOT false\"");
        has(&w, "a.c", "WHERE book_id IN ($1)\"");
        has(&w, "a.h", "lib_in(pgc_db *db, pgc_arr_i32 ids,");
        has(&w, "a.h", "lib_not_in(pgc_db *db, pgc_arr_i32 ids,");
        has(&w, "a.h", "lib_more(pgc_db *db, int32_t id,");
        has(&w, "a.h", "lib_any_of(pgc_db *db, pgc_arr_i32 ids,");
        has(&w, "a.h", "lib_cast(pgc_db *db, pgc_arr_text titles,");
    }
    end(&w);
}

static void embeds_have_their_alias_and_may_be_absent(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(
        &w.plug, "Both :many",
        "SELECT b.book_id, b.author_id, b.title, b.isbn, a.author_id, a.name, a.bio, a.mood, "
        "a.tags, b.isbn FROM books b LEFT JOIN authors a ON a.author_id = b.author_id",
        "%books,%authors,isbn:text@books.isbn", "");
    plug_query(
        &w.plug, "Union :many",
        "SELECT t.book_id, t.author_id, t.title, t.isbn, 1 AS n FROM books t UNION ALL SELECT "
        "book_id, author_id, title, isbn, 2 FROM books",
        "%books,n:int!", "");
    plug_query(
        &w.plug, "Back :one",
        "UPDATE books AS u SET isbn = NULL RETURNING u.book_id, u.author_id, u.title, u.isbn, "
        "lower(title) AS l",
        "%books,l:text!", "");
    if (run(&w)) {
        has(&w, "a.h", "lib_book b; /**< its NOT NULL columns are proved */");
        has(&w, "a.h", "lib_opt_author a; /**< absent when has is false");
        has(&w, "a.h", "lib_book u;");
        has(&w, "a.h", "book t;");
    }
    end(&w);
    refuses_query("Q :one", "SELECT 1", "%nothing", "",
                  "sqlc.embed(nothing): not a table of the schema");
    begin(&w, OPTIONS);
    plug_composite(&w.plug, "pair");
    plug_table(&w.plug, "couples", "id:int!,p:pair,m:email");
    plug_query(&w.plug, "Q :one", "SELECT c.id, c.p, c.m, 1 FROM couples c", "%couples,x:int!", "");
    refused(&w, "a.sql: Q",
            "sqlc.embed(couples): sqlc does not tell a plugin enough about p (pair), m (email)");
    end(&w);
}

static void models_are_used_again_and_lack_what_is_unknown(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_composite(&w.plug, "pair");
    Plugin__Table *couples = plug_table(&w.plug, "couples", "id:int!,p:pair,m:email[],x:any");
    couples->comment = plug_bytes("Two of them.");
    couples->columns[0]->comment = plug_bytes("Number.");
    plug_query(&w.plug, "Same :one", "SELECT id, total FROM shop.orders",
               "id:uuid!@shop.orders.id,total:money@shop.orders.total", "");
    plug_query(&w.plug, "Other :one", "SELECT total, id FROM shop.orders",
               "total:money@shop.orders.total,id:uuid!@shop.orders.id", "");
    if (run(&w)) {
        has(&w, "models.h", "Two of them.");
        has(&w, "models.h", "Number.");
        has(&w, "models.h", "p (pair), m (email[]), x (unknown type)");
        has(&w, "a.h", "pgc_status lib_same(pgc_db *db, lib_shop_order_set *out");
        has(&w, "a.h", "pgc_status lib_other(pgc_db *db, lib_other_row_set *out");
    }
    end(&w);
}

static void columns_are_called_as_by_the_server(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(
        &w.plug, "Q :one",
        "SELECT coalesce(isbn, 'a'), CASE WHEN true THEN 1 ELSE 2 END, 1 + 1, title AS \"t!\" "
        "FROM books",
        "isbn:text!@books.isbn,:int!,:int!,t!:text!@books.title", "");
    plug_query(&w.plug, "Odd :one", "SELECT a, b FROM unknown_function($1::int) AS f",
               "x:int!,:int!", ":int!");
    if (run(&w)) {
        has(&w, "a.h", "pgc_text coalesce;");
        has(&w, "a.h", "int32_t case_;");
        has(&w, "a.h", "int32_t column_3;");
        has(&w, "a.h", "pgc_text t; /**< text; not NULL: ! in the query */");
        has(&w, "a.h", "lib_odd(pgc_db *db, int32_t dollar_1,");
    }
    end(&w);
}

static void comments_are_documentation_and_flags(void)
{
    world w;
    begin(&w, OPTIONS);
    Plugin__Query *q = plug_query(&w.plug, "One :one", "SELECT title, isbn FROM books",
                                  "title:text!@books.title,isbn:text@books.isbn", "");
    plug_comment(q, " The first one.");
    plug_comment(q, " @row Brief");
    plug_comment(q, " @unnamed");
    plug_comment(q, " @nonnull isbn");
    q = plug_query(&w.plug, "Two :one", "SELECT title, isbn FROM books WHERE true",
                   "title:text!@books.title,isbn:text@books.isbn", "");
    plug_comment(q, " @row Brief");
    plug_comment(q, " @read_only");
    q = plug_query(&w.plug, "Many :exec",
                   "INSERT INTO books (book_id, author_id, title) VALUES ($1, $2, lower($3))", "",
                   "book_id:pg_catalog.int4!@public.books.book_id,"
                   "author_id:pg_catalog.int8!@public.books.author_id,title:text!");
    plug_comment(q, " @bulk");
    if (run(&w)) {
        has(&w, "a.h", "* The first one.");
        has(&w, "models.h", "} lib_brief;");
        has(&w, "a.c", "PGC_QUERY_UNNAMED");
        has(&w, "a.c", "PGC_QUERY_READ_ONLY");
        has(&w, "a.c", "FROM unnest($1::integer[], $2::bigint[], $3::text[]) WITH ORDINALITY");
        has(&w, "a.h", "const lib_many_params *rows, size_t count");
    }
    end(&w);
}

static void refuses_flag(const char *flag, const char *words)
{
    world w;
    begin(&w, OPTIONS);
    Plugin__Query *q = plug_query(&w.plug, "Q :exec", "UPDATE books SET title = $1", "",
                                  "title:text!@public.books.title");
    plug_comment(q, flag);
    refused(&w, "a.sql: Q", words);
    end(&w);
}

static void what_needs_a_server_is_refused(void)
{
    refuses_flag(" @optional title", "@optional does not work in a plugin");
    refuses_flag(" @patch title", "@patch does not work in a plugin");
    refuses_flag(" @bulk", "@bulk needs INSERT");
    refuses_query("Q :one", "SELECT 1 /*@if x*/ /*@end*/", "n:int!", "", "blocks do not work");
    refuses_query("Q :one", "SELECT 'open", "n:int!", "", "");
}

static void missing_facts_are_named(void)
{
    refuses_query("Q :one", "SELECT a->b AS x, 1 FROM books", "x:any,n:int!", "",
                  "sqlc does not know the type of column \"x\"");
    refuses_query("Q :one", "SELECT 1, 2", "x:,n:int!", "", "does not know the type");
    refuses_query("Q :one", "SELECT 1, 2", "x:pg_catalog.anyelement,n:int!", "",
                  "does not know the type of column");
    refuses_query("Q :one", "SELECT 1, 2", "x:record[],n:int!", "", "does not know the type");
    refuses_query("Q :exec", "DELETE FROM books WHERE f($1)", "", "v:any",
                  "sqlc does not know the type of parameter \"v\"");
    refuses_query("Q :exec", "DELETE FROM books WHERE f($1)", "", ":any",
                  "parameter \"without name\"");
    refuses_query(
        "Q :one", "SELECT m, 1", "m:email,n:int!", "",
        "column \"m\" has type email: sqlc does not tell a plugin what is inside a domain");
    refuses_query("Q :one", "SELECT m, 1", "m:email[],n:int!", "", "has type email[]");
    refuses_query("Q :one", "SELECT m, 1", "m:int4multirange[]!,n:int!", "",
                  "arrays of int4multirange have no C type");
    world w;
    begin(&w, OPTIONS);
    plug_composite(&w.plug, "pair");
    plug_query(&w.plug, "Q :exec", "DELETE FROM books WHERE f($1)", "", "p:pair!");
    refused(&w, "a.sql: Q", "what is inside a composite");
    end(&w);
}

static void a_type_of_the_users_helps(void)
{
    world w;
    begin(&w,
          "{\"prefix\": \"lib\", \"overrides\": [{\"db_type\": \"email\", \"c_type\": {\"type\": "
          "\"my_mail\", \"header\": \"mail.h\", \"decode\": \"mail_read\", \"encode\": "
          "\"mail_add\"}}]}");
    plug_query(&w.plug, "Q :one", "SELECT m, 1 AS n FROM f($1::email)", "m:email!,n:int!",
               "e:email!");
    if (run(&w)) {
        has(&w, "a.h", "my_mail m;");
        has(&w, "a.h", "my_mail e,");
        has(&w, "a.c", "mail_add(");
    }
    end(&w);
}

static void refuses_options(const char *options, const char *words)
{
    world w;
    begin(&w, options);
    refused(&w, "codegen options", words);
    end(&w);
}

static void the_user_may_say_what_is_inside(void)
{
    world w;
    begin(&w, "{\"prefix\": \"lib\", \"overrides\": [{\"db_type\": \"email\", \"c_type\": "
              "\"text\"}, {\"db_type\": \"shop.stars\", \"c_type\": \"i16\"}]}");
    plug_table(&w.plug, "people", "mail:email!,more:email[],stars:shop/stars");
    plug_query(&w.plug, "Q :one",
               "SELECT p.mail, p.more, p.stars, 1 AS n FROM people p WHERE mail = $1",
               "%people,n:int!", "mail:email!@people.mail");
    if (run(&w)) {
        has(&w, "models.h", "pgc_text mail;");
        has(&w, "models.h", "lib_arr_email more;");
        has(&w, "models.h", "pgc_opt_i16 stars;");
        has(&w, "a.c", "{ \"mail\", \"email\", 0 }");
        has(&w, "a.h", "lib_person p;");
    }
    end(&w);
    refuses_options("{\"prefix\": \"lib\", \"overrides\": [{\"column\": \"books.title\", "
                    "\"c_type\": \"i16\"}]}",
                    "is no representation of text");
}

static void what_gives_nothing_has_no_columns(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(&w.plug, "Call :exec", "SELECT f($1)", "f:void", "a:text!");
    plug_query(&w.plug, "Limit :many", "SELECT title FROM books WHERE title = $1 OFFSET $2",
               "title:text!@books.title", "v:pg_catalog.varchar!@books.title,offset:integer!");
    if (run(&w)) {
        has(&w, "a.h", "lib_call(pgc_db *db, pgc_text a, pgc_error *err)");
        has(&w, "a.c", "{ \"v\", \"text\", 25 }");
        has(&w, "a.c", "{ \"offset\", \"bigint\", 20 }");
    }
    end(&w);
}

static void faulty_queries_are_refused(void)
{
    refuses_query("Q :execlastid", "SELECT 1", "", "", ":execlastid is not supported");
    refuses_query("Q one", "SELECT 1", "", "", "one is not supported");
    refuses_query("Q :one", "DELETE FROM books", "", "", "without containing a RETURNING");
    refuses_query("Q :batchexec", "DELETE FROM books", "", "",
                  ":batch* commands require parameters");
    refuses_query("Q :copyfrom", "DELETE FROM books WHERE title = $1", "", "t:text!",
                  ":copyfrom requires an INSERT INTO statement");
    world w;
    begin(&w, OPTIONS);
    plug_query(&w.plug, "a-b :exec", "SELECT 1", "", "");
    refused(&w, "a.sql: a-b", "invalid query name");
    end(&w);
    begin(&w, OPTIONS);
    plug_query(&w.plug, "Q :exec", "SELECT 1", "", "");
    w.plug.file = "b.sql";
    plug_query(&w.plug, "Q :exec", "SELECT 1", "", "");
    refused(&w, "b.sql: Q", "duplicate query name: Q");
    end(&w);
    begin(&w, OPTIONS);
    w.plug.file = "models.sql";
    plug_query(&w.plug, "Q :exec", "SELECT 1", "", "");
    refused(&w, "models.sql", "no C file can be named after this query file");
    end(&w);
    static const int32_t NUMBERS[][2] = {
        { 1, 1 }, { 0, 1 }, { 1, 3 }, { -1, 2 }, { INT32_MAX, 1 }
    };
    for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
        begin(&w, OPTIONS);
        Plugin__Query *q = plug_query(&w.plug, "Q :exec", "SELECT $1, $2", "", "a:text!,b:text!");
        q->params[0]->number = NUMBERS[i][0];
        q->params[1]->number = NUMBERS[i][1];
        refused(&w, "a.sql: Q", "parameters are not numbered from 1 to 2");
        end(&w);
    }
    begin(&w, OPTIONS);
    Plugin__Query *q = plug_query(&w.plug, "Q :exec", "SELECT $1", "", "a:text!");
    q->params[0]->column = NULL;
    refused(&w, "a.sql: Q", "parameters are not numbered");
    end(&w);
}

static void one_run_names_all_mistakes(void)
{
    world w;
    begin(&w, OPTIONS);
    plug_query(&w.plug, "A :one", "SELECT x, y", "x:any,y:int!", "");
    plug_query(&w.plug, "B :one", "SELECT 1, 2", "a:int!,b:int!", "");
    plug_query(&w.plug, "C :sometimes", "SELECT 1", "", "");
    refused(&w, "a.sql: A", "does not know the type");
    CHECK_INT(w.bench.diags.error_count, 2);
    end(&w);
}

static void options_are_read_as_in_the_config(void)
{
    refuses_options("", "needs options.prefix");
    refuses_options("{}", "needs options.prefix");
    refuses_options("{\"prefix\": \"lib\", \"colour\": 1}", "unknown key \"colour\"");
    refuses_options("[1]", "codegen options");
    refuses_options("{\"prefix\": ", "");
    refuses_options("{\"prefix\": \"lib\", \"query_parameter_limit\": -1}", "must be 0 to");
    refuses_options("{\"prefix\": \"lib\", \"param_nullability\": \"strict\"}",
                    "strict does not work in a plugin");
    refuses_options(
        "{\"prefix\": \"lib\", \"overrides\": [{\"column\": \"books.no\", \"nullable\": "
        "true}]}",
        "no column \"books.no\"");
    world w;
    begin(&w, "{\"package\":\"l\\u0069b\",\"query_parameter_limit\":0,\"emit_interface\":true}");
    plug_query(&w.plug, "Q :exec", "DELETE FROM books WHERE title = $1", "", "title:text!");
    if (run(&w)) {
        has(&w, "a.h", "lib_q(pgc_db *db, const lib_q_params *p,");
        has(&w, "interface.h", "lib_queries");
        has(&w, "a.h", "Generated by sqlc-gen-c " LUM_VERSION " from a.sql.");
    }
    end(&w);
    begin(&w, OPTIONS);
    w.plug.settings.engine = plug_bytes("mysql");
    refused(&w, "codegen options", "engine \"mysql\" is not supported");
    end(&w);
}

/* A request that is none at all: one error, no diagnostics. */
static void refuses_bytes(slice bytes, const char *words)
{
    world w;
    begin(&w, OPTIONS);
    CHECK(!run_bytes(&w, bytes));
    CHECK_INT(w.status, PGC_INVALID);
    if (!CHECK(strstr(w.err.message, words) != NULL || w.bench.diags.error_count > 0)) {
        printf("# %s\n", w.err.message);
    }
    CHECK_INT(w.out.len, 0);
    end(&w);
}

static void other_bytes_are_refused(void)
{
    refuses_bytes(SLICE("\xFF\xFF\xFF\xFF"), "no GenerateRequest");
    refuses_bytes(SLICE("not a request"), "no GenerateRequest");
    char *large = calloc(1, PLUGIN_REQUEST_MAX + 1);
    REQUIRE(large != NULL);
    refuses_bytes((slice) { large, PLUGIN_REQUEST_MAX + 1 }, "larger than 64 MiB");
    free(large);
    world w;
    begin(&w, OPTIONS);
    w.plug.request.plugin_options = plug_bytes("{\"prefix\": \"l\xFF\"}");
    refuses_bytes(plug_pack(&w.plug), "\"plugin_options\" is no UTF-8");
    w.plug.request.plugin_options = plug_bytes(OPTIONS);
    plug_query(&w.plug, "Q :exec", "SELECT 1;SELECT 2", "", "");
    static char cut[] = "SELECT 1\0SELECT 2";
    w.plug.queries[0]->text.data = (uint8_t *) cut;
    refuses_bytes(plug_pack(&w.plug), "\"text\" is no UTF-8");
    end(&w);
    begin(&w, OPTIONS);
    plug_pack(&w.plug);
    w.plug.request.catalog = NULL;
    size_t size = plugin__generate_request__get_packed_size(&w.plug.request);
    uint8_t *bytes = arena_array(w.bench.arena, size, 1);
    (void) plugin__generate_request__pack(&w.plug.request, bytes);
    refuses_bytes((slice) { (const char *) bytes, size }, "it has no catalog");
    end(&w);
}

/* Other values than upstream writes: each is named. */
static void other_json_is_refused(void)
{
    static const char *const BAD[][2] = {
        { "{", "line 1, column 1" },
        { "{}x", "line 1, column 3" },
        { "{\"settings\": {}, \"settings\": {}}", "duplicate" },
        { "{\"settings\": []}", "\"settings\" is no object" },
        { "{\"settings\": {\"engine\": 1}}", "\"engine\" is no text" },
        { "{\"queries\": {}}", "\"queries\" is no list" },
        { "{\"queries\": [null]}", "\"queries\" is no object" },
        { "{\"queries\": [{\"comments\": [true]}]}", "\"comments\" is no text" },
        { "{\"queries\": [{\"params\": [{\"number\": \"1\"}]}]}", "\"number\" is no whole" },
        { "{\"queries\": [{\"params\": [{\"number\": 2147483648}]}]}", "\"number\" is no whole" },
        { "{\"queries\": [{\"params\": [{\"number\": 1.5}]}]}", "\"number\" is no whole" },
        { "{\"queries\": [{\"columns\": [{\"not_null\": 1}]}]}", "\"not_null\" is no boolean" },
        { "{\"queries\": [{\"text\": \"a\\u0000b\"}]}", "line 1" },
        { "{\"queries\": [{\"text\": \"\xC3\"}]}", "line 1" },
        { "{\"plugin_options\": \"{}\"}", "\"plugin_options\" is no base64" },
        { "{\"plugin_options\": \"/w==\"}", "\"plugin_options\" is no UTF-8" },
        { "{\"plugin_options\": \"eyJwcmVmaXgiOiAibGliIn0=\"}", "it has no catalog" },
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        refuses_bytes(sqlc_text(BAD[i][0]), BAD[i][1]);
    }
}

/* The world that cut and memory tests take. */
static void fill(plug *p)
{
    plug_query(
        p, "A :many",
        "SELECT b.book_id, b.author_id, b.title, b.isbn, count(*) FROM books b WHERE book_id "
        "IN ($1) GROUP BY 1",
        "%books,count:bigint!", "ids:pg_catalog.int4!~@books.book_id");
    Plugin__Query *q =
        plug_query(p, "B :copyfrom", "INSERT INTO books (book_id, title) VALUES ($1, $2)", "",
                   "book_id:pg_catalog.int4!@public.books.book_id,"
                   "title:text!@public.books.title");
    plug_comment(q, " A line.");
    plug_comment(q, " @unnamed");
    plug_query(p, "C :one", "SELECT m, v FROM t WHERE x = $1", "m:mood,v:vector!", "x:shop.size");
    plug_enum(p, "shop.size", "s,m,l");
}

static void every_cut_is_survived(void)
{
    world w;
    begin(&w, OPTIONS);
    fill(&w.plug);
    slice whole = plug_pack(&w.plug);
    size_t refusals = 0;
    for (size_t len = 0; len < whole.len; len++) {
        sqlc_bench bench = sqlc_bench_make(NULL);
        AUTO(buf_auto) buf out;
        pgc_error err = PGC_ZERO;
        char *copy = malloc(len + 1); /* its exact size, for the sanitizers */
        REQUIRE(copy != NULL);
        memcpy(copy, whole.ptr, len);
        buf_init(&out, NULL, (size_t) 16 << 20);
        pgc_status status =
            plugin_generate(bench.arena, (slice) { copy, len }, &bench.diags, &out, &err);
        CHECK(status == PGC_OK || status == PGC_INVALID);
        CHECK(status == PGC_OK || err.message[0] != '\0');
        refusals += status == PGC_INVALID ? 1 : 0;
        free(copy);
        sqlc_bench_done(&bench);
    }
    CHECK(refusals > whole.len / 2);
    CHECK(run(&w));
    end(&w);
}

static void survives_oom(bool json)
{
    world w;
    begin(&w, OPTIONS);
    fill(&w.plug);
    slice packed = plug_pack(&w.plug);
    slice bytes = json ? plug_json(&w.plug) : packed;
    bool complete = false;
    int fail_at = 1;
    for (; !complete && fail_at < 100000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_error err = PGC_ZERO;
        AUTO(buf_auto) buf out;
        buf_init(&out, &alloc, (size_t) 16 << 20);
        arena *mem = arena_new(&alloc, 64, 0);
        diag_list diags = { .arena = mem };
        pgc_status status =
            mem == NULL ? PGC_NOMEM : plugin_generate(mem, bytes, &diags, &out, &err);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        CHECK(complete || out.len == 0);
        arena_free(mem);
        buf_done(&out);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(complete);
    printf("# %d allocations failed in turn\n", fail_at - 2);
    end(&w);
}

static void every_allocation_may_fail(void)
{
    survives_oom(false);
    survives_oom(true);
}

/* An arena takes few large blocks, but its ceiling may cut any of what is taken from them. */
static void survives_ceilings(bool json)
{
    world w;
    begin(&w, OPTIONS);
    fill(&w.plug);
    slice packed = plug_pack(&w.plug);
    slice bytes = json ? plug_json(&w.plug) : packed;
    size_t failures = 0;
    bool complete = false;
    for (size_t ceiling = 1024; !complete && ceiling < ((size_t) 64 << 20);
         ceiling += 16 + ceiling / 512) {
        arena *mem = arena_new(NULL, 64, ceiling);
        diag_list diags = { .arena = mem };
        pgc_error err = PGC_ZERO;
        AUTO(buf_auto) buf out;
        buf_init(&out, NULL, (size_t) 16 << 20);
        REQUIRE(mem != NULL);
        pgc_status status = plugin_generate(mem, bytes, &diags, &out, &err);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        CHECK(complete || (out.len == 0 && err.message[0] != '\0'));
        failures += complete ? 0 : 1;
        arena_free(mem);
    }
    CHECK(complete);
    CHECK(failures > 1000);
    printf("# %zu ceilings\n", failures);
    end(&w);
}

static void memory_may_end_anywhere(void)
{
    survives_ceilings(false);
    survives_ceilings(true);
}

/* Two bytes on the wire become a struct of a hundred: the arena's ceiling holds. */
static void a_small_request_cannot_take_all_memory(void)
{
    size_t count = 200000;
    char *bytes = malloc(2 * count);
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + 2 * i, "\x1A\x00", 2); /* an empty query */
    }
    arena *mem = arena_new(NULL, 0, (size_t) 8 << 20);
    diag_list diags = { .arena = mem };
    pgc_error err = PGC_ZERO;
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, 1 << 20);
    REQUIRE(mem != NULL);
    CHECK_INT(plugin_generate(mem, (slice) { bytes, 2 * count }, &diags, &out, &err), PGC_NOMEM);
    CHECK_STR(err.message, "read the request");
    arena_free(mem);
    free(bytes);
}

static void there_are_limits(void)
{
    world w;
    begin(&w, OPTIONS);
    Plugin__Column **columns = ARENA_ARRAY(w.bench.arena, 5000, Plugin__Column *);
    for (size_t i = 0; i < 5000; i++) {
        const char *spec = arena_printf(w.bench.arena, "c%zu:t%zu", i, i);
        columns[i] = plug_column(&w.plug, spec);
    }
    Plugin__Table *table = plug_table(&w.plug, "wide", "");
    table->columns = columns;
    table->n_columns = 1601;
    CHECK(!run_bytes(&w, plug_pack(&w.plug)));
    CHECK_STR(w.err.message, "read the request: table \"wide\" has 1601 columns");
    table->n_columns = 5000;
    CHECK(!run_bytes(&w, plug_pack(&w.plug)));
    CHECK_STR(w.err.message, "read the request: more than 4096 types of its own");
    table->n_columns = 1600;
    CHECK(run(&w));
    end(&w);
}

/* The program, as upstream starts it: no environment, request on stdin. */
static int start(const char *argument, slice request, buf *output)
{
    tmpdir dir = tmpdir_make();
    const char *argv[] = { TEST_BUILD_ROOT "/sqlc-gen-c", argument, NULL };
    const char *none[] = { NULL };
    int code = -1;
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_write_atomic(env_default(), dir.fd, "in", request, 0644, &err), PGC_OK, &err);
    int in = openat(dir.fd, "in", O_RDONLY | O_CLOEXEC);
    proc_options options = {
        .argv = argv, .env_vars = none, .in_fd = in, .output = output, .timeout_us = 60 * 1000000LL
    };
    CHECK(in > 0);
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_OK, &err);
    (void) close(in);
    tmpdir_remove(&dir);
    return code;
}

static void the_program_answers(void)
{
    world w;
    AUTO(buf_auto) buf output;
    begin(&w, OPTIONS);
    fill(&w.plug);
    slice request = plug_pack(&w.plug);
    CHECK(run(&w));
    buf_init(&output, NULL, (size_t) 16 << 20);
    CHECK_INT(start(PLUGIN_METHOD, request, &output), 0);
    CHECK(slice_eq(buf_view(&output), buf_view(&w.out)));
    buf_reset(&output);
    CHECK_INT(start(PLUGIN_METHOD, slice_sub(request, 0, request.len / 2), &output), 1);
    CHECK_STR(output.ptr, "sqlc-gen-c: read the request: it is cut off or no GenerateRequest\n");
    plug_query(&w.plug, "Bad :one", "SELECT m, 1", "m:email,n:int!", "");
    buf_reset(&output);
    CHECK_INT(start(PLUGIN_METHOD, plug_pack(&w.plug), &output), 1);
    CHECK_STR(
        output.ptr,
        "a.sql: Bad: column \"m\" has type email: sqlc does not tell a plugin what is inside a "
        "domain (cast it, e.g. ::text, or give the db_type a c_type under overrides)\n");
    end(&w);
}

TAP_MAIN(
    TAP("plugin: every command becomes its function", every_command_becomes_its_function),
    TAP("plugin: types are found by upstream's spelling", types_are_found_by_upstreams_spelling),
    TAP("plugin: NULLs are upstream's word", nulls_are_upstreams_word),
    TAP("plugin: the config knows better", the_config_knows_better),
    TAP("plugin: parameters keep upstream's names and order", parameters_keep_upstreams_names),
    TAP("plugin: slices become arrays", slices_become_arrays),
    TAP("plugin: embeds have their alias and may be absent",
        embeds_have_their_alias_and_may_be_absent),
    TAP("plugin: models are used again and lack what is unknown",
        models_are_used_again_and_lack_what_is_unknown),
    TAP("plugin: columns are called as by the server", columns_are_called_as_by_the_server),
    TAP("plugin: comments are documentation and flags", comments_are_documentation_and_flags),
    TAP("plugin: what needs a server is refused", what_needs_a_server_is_refused),
    TAP("plugin: missing facts are named", missing_facts_are_named),
    TAP("plugin: a type of the user's helps where facts are missing", a_type_of_the_users_helps),
    TAP("plugin: the user may say what is inside of a domain", the_user_may_say_what_is_inside),
    TAP("plugin: :exec has no columns", what_gives_nothing_has_no_columns),
    TAP("plugin: faulty queries are refused", faulty_queries_are_refused),
    TAP("plugin: one run names all mistakes", one_run_names_all_mistakes),
    TAP("plugin: options are read as in the config", options_are_read_as_in_the_config),
    TAP("plugin: bytes that are no request are refused", other_bytes_are_refused),
    TAP("plugin: JSON of another form is refused", other_json_is_refused),
    TAP("plugin: a request may be cut off anywhere", every_cut_is_survived),
    TAP("plugin: every allocation may fail", every_allocation_may_fail),
    TAP("plugin: memory may end anywhere", memory_may_end_anywhere),
    TAP("plugin: a small request cannot take all memory", a_small_request_cannot_take_all_memory),
    TAP("plugin: more than a database can have is refused", there_are_limits),
    TAP("plugin: the program answers a request", the_program_answers))
