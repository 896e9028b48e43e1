/* A schema out of the folders of the migration tools: each tool's way of writing, the same three
 * steps, and the same model in the end. What takes a step back is never run: every down part
 * destroys the table, so a model with all its columns shows that only the up parts were taken. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/file.h"
#include "sqlc/command.h"

#include "pg.h"
#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

static const char CONFIG[] = "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: m\n    "
                             "queries: q.sql\n    codegen:\n"
                             "      - {plugin: c, out: out, options: {prefix: p}}\n";
static const char QUERY[] = "-- name: ListBooks :many\nSELECT * FROM books;\n";

#define STEP_1 "CREATE TABLE books (id int PRIMARY KEY, title text NOT NULL);\n"
#define STEP_2 "ALTER TABLE books ADD year int;\n"
#define STEP_3                                                                                    \
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.year := 1; RETURN " \
    "NEW; END; $$;\n"
#define BACK "DROP TABLE books;\n"

typedef struct migration {
    const char *name, *text;
} migration;

static void put(const tmpdir *dir, const char *name, const char *text)
{
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_write_atomic(env_default(), dir->fd, name, sqlc_text(text), 0644, &err),
                 PGC_OK, &err);
}

/* Generate from a folder with these files; true when the model has all three columns. */
static void expect_books(const migration *files, size_t count)
{
    tmpdir dir = tmpdir_make();
    sqlc_bench bench = sqlc_bench_make(NULL);
    AUTO(buf_auto) buf models;
    pgc_error err = PGC_ZERO;
    command_result result;
    buf_init(&models, NULL, 1 << 20);
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "m", 0755, false, &err), PGC_OK, &err);
    put(&dir, "sqlc.yaml", CONFIG);
    put(&dir, "q.sql", QUERY);
    for (size_t i = 0; i < count; i++) {
        put(&dir, files[i].name, files[i].text);
    }
    command_options options = { .database = test_server() };
    options.config = arena_printf(bench.arena, "%s/sqlc.yaml", dir.path);
    command_result_init(&result, bench.arena);
    CHECK_STATUS(command_generate(env_default(), bench.arena, &options, &result, &err), PGC_OK,
                 &err);
    bench.diags = result.diags;
    CHECK_STR(sqlc_diags(&bench), "");
    CHECK_STATUS(file_read(env_default(), dir.fd, "out/models.h", &models, &err), PGC_OK, &err);
    static const char *const FIELDS[] = { "int32_t id;", "pgc_text title;", "pgc_opt_i32 year;" };
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
        if (!CHECK(models.ptr != NULL && strstr(models.ptr, FIELDS[i]) != NULL)) {
            printf("# no \"%s\" in %s\n", FIELDS[i], models.ptr != NULL ? models.ptr : "(no file)");
        }
    }
    command_result_done(&result);
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

#define EXPECT(...)                                       \
    do {                                                  \
        static const migration files[] = { __VA_ARGS__ }; \
        expect_books(files, ARRAY_LEN(files));            \
    } while (0)

static void plain_ddl(void)
{
    EXPECT({ "m/1.sql", STEP_1 }, { "m/2.sql", STEP_2 STEP_3 }, { "m/README.md", BACK });
}

static void atlas(void)
{
    EXPECT({ "m/20240101000000_books.sql", "-- Create \"books\" table\n" STEP_1 },
           { "m/20240102000000_year.sql", "-- atlas:nolint\n" STEP_2 },
           { "m/20240103000000_touch.sql", STEP_3 },
           { "m/atlas.sum", "h1:notasum=\n20240101000000_books.sql h1:x=\n" });
}

static void golang_migrate(void)
{
    EXPECT({ "m/000001_books.up.sql", STEP_1 }, { "m/000001_books.down.sql", BACK },
           { "m/000002_year.up.sql", STEP_2 }, { "m/000002_year.down.sql", BACK },
           { "m/000003_touch.up.sql", STEP_3 });
}

static void goose(void)
{
    EXPECT({ "m/00001_books.sql", "-- +goose Up\n" STEP_1 "-- +goose Down\n" BACK },
           { "m/00002_year.sql",
             "-- +goose NO TRANSACTION\n-- +goose Up\n" STEP_2 "\n-- +goose down\n" BACK },
           { "m/00003_touch.sql", "-- +goose Up\n-- +goose StatementBegin\n" STEP_3
                                  "-- +goose StatementEnd\n-- +goose Down\n-- +goose "
                                  "StatementBegin\n" BACK "-- +goose StatementEnd\n" });
}

static void dbmate(void)
{
    EXPECT({ "m/20240101_books.sql", "-- migrate:up\n" STEP_1 "-- migrate:down\n" BACK },
           { "m/20240102_year.sql",
             "-- migrate:up transaction:false\n" STEP_2 STEP_3 "-- migrate:down\n" BACK });
}

static void sql_migrate(void)
{
    EXPECT({ "m/1_books.sql", "-- +migrate Up\n" STEP_1 "-- +migrate Down\n" BACK },
           { "m/2_year.sql", "-- +migrate Up\n" STEP_2 "-- +migrate StatementBegin\n" STEP_3
                             "-- +migrate StatementEnd\n-- +migrate Down\n" BACK });
}

static void tern(void)
{
    EXPECT({ "m/001_books.sql", STEP_1 "---- create above / drop below ----\n" BACK },
           { "m/002_year.sql", STEP_2 STEP_3 "---- Create above / drop below ----\n\n" BACK },
           { "m/tern.conf", "[database]\n" });
}

/* The order is that of the names, character by character: upstream's too. */
static void order_is_by_name(void)
{
    EXPECT({ "m/10_books.sql", STEP_1 }, { "m/9_year.sql", STEP_2 }, { "m/9a_touch.sql", STEP_3 });
}

/* pg_dump writes commands of psql into its files. */
static void dumps(void)
{
    EXPECT({ "m/schema.sql", "\\restrict abc\nSET client_encoding = 'UTF8';\n" STEP_1 STEP_2 STEP_3
                             "\\unrestrict abc\n" });
}

TAP_MAIN(TAP("migrations: plain files in the order of their names", plain_ddl),
         TAP("migrations: Atlas, its sum file is no SQL", atlas),
         TAP("migrations: golang-migrate, only *.up.sql", golang_migrate),
         TAP("migrations: goose, up parts and statement blocks", goose),
         TAP("migrations: dbmate, up parts", dbmate),
         TAP("migrations: sql-migrate, up parts and statement blocks", sql_migrate),
         TAP("migrations: tern, what stands above the line", tern),
         TAP("migrations: 10 comes before 9", order_is_by_name),
         TAP("migrations: commands of psql are passed over", dumps))
