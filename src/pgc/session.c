/* One prepared query per number of settings. Pure data; any thread. */
#include "base/prelude.h"

#include "pgc/session.h"

#define TEXT_PAIR           \
    { "name", "text", 25 }, \
    {                       \
        "value", "text", 25 \
    }
static const pgc_type_ref PARAMS[2 * PGC_SCOPE_SETTINGS_MAX] = {
    TEXT_PAIR, TEXT_PAIR, TEXT_PAIR, TEXT_PAIR, TEXT_PAIR, TEXT_PAIR, TEXT_PAIR, TEXT_PAIR,
};

#define SET_1   "pg_catalog.set_config($1, $2, true)"
#define SET_2   SET_1 ", pg_catalog.set_config($3, $4, true)"
#define SET_3   SET_2 ", pg_catalog.set_config($5, $6, true)"
#define SET_4   SET_3 ", pg_catalog.set_config($7, $8, true)"
#define SET_5   SET_4 ", pg_catalog.set_config($9, $10, true)"
#define SET_6   SET_5 ", pg_catalog.set_config($11, $12, true)"
#define SET_7   SET_6 ", pg_catalog.set_config($13, $14, true)"
#define SET_8   SET_7 ", pg_catalog.set_config($15, $16, true)"
#define GENERIC "pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)"
/* The hashes are made up: they only have to differ from each other and from real ones. */
#define SET_QUERY(n, plan, list)                                                              \
    {                                                                                         \
        .name = "set_config", .sql = "SELECT " list,                                          \
        .hash = UINT64_C(0x5e7c0f1900000000) + 16 * (plan) + (n), .flags = RUN_QUERY_CONTEXT, \
        .param_count = 2 * (n), .params = PARAMS                                              \
    }
#define SET_BOTH(n)                                                     \
    {                                                                   \
        SET_QUERY(n, 0, SET_##n), SET_QUERY(n, 1, GENERIC ", " SET_##n) \
    }
/* By the number of settings; the second of each pair asks for one plan for all values, too. */
static const pgc_query SET_QUERIES[PGC_SCOPE_SETTINGS_MAX + 1][2] = {
    { SET_QUERY(0, 0, "1"), SET_QUERY(0, 1, GENERIC) },
    SET_BOTH(1),
    SET_BOTH(2),
    SET_BOTH(3),
    SET_BOTH(4),
    SET_BOTH(5),
    SET_BOTH(6),
    SET_BOTH(7),
    SET_BOTH(8),
};

/* Names and values are parameters, never part of the SQL text: any bytes are safe. What the
 * server thinks of a name it says itself. */
pgc_status session_check(const pgc_setting *settings, size_t count, pgc_error *err)
{
    if (count > PGC_SCOPE_SETTINGS_MAX || (count > 0 && settings == NULL)) {
        return pgc_error_set(err, PGC_INVALID, "settings: %zu given, at most %u are possible",
                             count, PGC_SCOPE_SETTINGS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (settings[i].name == NULL || settings[i].name[0] == '\0' || settings[i].value == NULL) {
            return pgc_error_set(err, PGC_INVALID, "settings: number %zu has no name or no value",
                                 i + 1);
        }
    }
    return PGC_OK;
}

/* Borrows the texts: they must outlive the list. */
void session_args_init(session_args *session, const pgc_setting *settings, size_t count,
                       const pgc_alloc *alloc)
{
    assert(count <= PGC_SCOPE_SETTINGS_MAX);
    pgc_args_init(&session->args, alloc);
    session->query = count == 0 ? NULL : &SET_QUERIES[count][0];
    for (size_t i = 0; i < count; i++) {
        pgc_add_text(&session->args, pgc_text_from(settings[i].name));
        pgc_add_text(&session->args, pgc_text_from(settings[i].value));
    }
}

void session_args_done(session_args *session)
{
    pgc_args_done(&session->args);
}

/* Put in front of a group, it holds for the queries behind it up to the sync. */
run_item session_item(const session_args *session)
{
    assert(session->query != NULL);
    return (run_item) { session->query, &session->args };
}

size_t session_front(const session_args *session, const pgc_query *query, run_item *out)
{
    bool generic = (query->flags & PGC_QUERY_GENERIC) != 0;
    bool settings = session != NULL && session->query != NULL;
    if (settings) {
        *out = session_item(session);
        out->query += generic ? 1 : 0;
    } else if (generic) {
        *out = (run_item) { &SET_QUERIES[0][1], NULL };
    }
    return settings || generic ? 1 : 0;
}
