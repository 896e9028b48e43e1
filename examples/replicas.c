/* A primary and its replicas as one thing: writes find the primary, reads go to a replica that
 * shows what this user wrote. The connection strings may come in any order, and one is enough.
 *
 *     cc replicas.c $(pkg-config --cflags --libs pgc) -o replicas
 *     ./replicas 'host=db1 dbname=app' 'host=db2 dbname=app' */
#include <stdio.h>

#include <pgc/pgc.h>

static const pgc_query MAKE = {
    .name = "Make",
    .sql = "CREATE TABLE IF NOT EXISTS visit (id bigint GENERATED ALWAYS AS IDENTITY, who text)",
};

static const pgc_type_ref WHO[] = { { "who", "text", 25 } };
static const pgc_query VISIT = { .name = "Visit",
                                 .sql = "INSERT INTO visit (who) VALUES ($1)",
                                 .hash = 0x71517,
                                 .param_count = 1,
                                 .params = WHO };

/* Only queries that say so are sent to replicas. */
static const pgc_type_ref COUNT_COLUMNS[] = { { "count", "bigint", 20 } };
static const pgc_query COUNT = { .name = "Count",
                                 .sql = "SELECT count(*) FROM visit",
                                 .hash = 0xc0041,
                                 .flags = PGC_QUERY_READ_ONLY,
                                 .column_count = 1,
                                 .columns = COUNT_COLUMNS,
                                 .row_size = sizeof(int64_t) };

static pgc_status visit(pgc_db *db, const char *who, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(who));
    pgc_status status = pgc_db_run(db, &VISIT, &args, NULL, err);
    pgc_args_done(&args);
    return status;
}

static pgc_status count(pgc_db *db, int64_t *out, pgc_error *err)
{
    pgc_result *result = NULL;
    pgc_status status = pgc_db_run(db, &COUNT, NULL, &result, err);
    if (status != PGC_OK) {
        return status;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, &COUNT);
    int64_t value = pgc_read_i64(&reader, 0, 0);
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    if (status == PGC_OK) {
        *out = value;
    }
    return status;
}

/* One request of a user: a view remembers what it wrote. */
static pgc_status request(pgc_set *set, pgc_token *token, pgc_error *err)
{
    const pgc_view_options options = { .struct_size = sizeof options, .token = *token };
    pgc_view *view = NULL;
    int64_t visits = 0;
    pgc_status status = pgc_view_open(set, &options, &view, err);
    if (status != PGC_OK) {
        return status;
    }
    status = visit(pgc_view_db(view), "Ada", err);
    if (status == PGC_OK) {
        status = count(pgc_view_db(view), &visits, err); /* sees the visit, wherever it runs */
    }
    if (status == PGC_OK) {
        printf("visits: %lld\n", (long long) visits);
        *token = pgc_view_token(view);
    }
    pgc_view_close(view);
    return status;
}

static pgc_status run(pgc_set *set, pgc_error *err)
{
    /* Between two requests a token is text, for a cookie or header. */
    char cookie[PGC_TOKEN_TEXT_SIZE] = "";
    pgc_status status = pgc_set_await(set, 0, 10000000, err);
    if (status == PGC_OK) {
        status = pgc_db_run(pgc_set_writer(set), &MAKE, NULL, NULL, err);
    }
    for (int i = 0; status == PGC_OK && i < 3; i++) {
        pgc_token token;
        status = pgc_token_parse(cookie, &token, err);
        if (status == PGC_OK) {
            status = request(set, &token, err);
            pgc_token_text(token, cookie);
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    const pgc_set_options options = { .struct_size = sizeof options,
                                      .nodes = (const char *const *) argv + 1,
                                      .node_count = (size_t) argc - 1 };
    pgc_set *set = NULL;
    pgc_error err;
    pgc_status status = pgc_set_open(&options, &set, &err);
    if (status == PGC_OK) {
        status = run(set, &err);
    }
    pgc_set_close(set);
    if (status != PGC_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}
