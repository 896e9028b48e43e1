/* Jobs of a library for tests: registered by an import, worked in this process or in a child. */
#ifndef TEST_WORKER_H
#define TEST_WORKER_H

#include "library.h"
#include "schema.h"
#include "tap.h"
#include "work/jobs.h"

/* Import the source folder and, unless NULL, `more`; false after a diagnostic line. */
static inline bool worker_import_with(test_library *lib, lum_session *session, bool later,
                                      const char *const *more, import_progress *out)
{
    pgc_error err;
    pgc_error_clear(&err);
    const char *paths[8] = { lib->source };
    for (size_t i = 0; more != NULL && more[i] != NULL && i < 6; i++) {
        paths[i + 1] = more[i];
    }
    const import_options options = { .paths = paths,
                                     .strategy = LUM_STRATEGY_FLAT,
                                     .helper_path = TEST_MEDIA_HELPER,
                                     .jobs = 2,
                                     .later = later };
    return CHECK_STATUS(import_run(lib->library, session, &options, out, &err), PGC_OK, &err);
}

static inline bool worker_import(test_library *lib, lum_session *session, bool later,
                                 import_progress *out)
{
    return worker_import_with(lib, session, later, NULL, out);
}

/* Work until no job is due, as `lumilio work --once` does, on a library of its own. */
static inline pgc_status worker_run(const test_library *lib, jobs_counts *out, pgc_error *err)
{
    const lum_library_options options = { .home = lib->home,
                                          .database_url = lib->url,
                                          .role = JOBS_WORKER_ROLE };
    const jobs_options work = {
        .helper_path = TEST_MEDIA_HELPER, .at_once = 2, .once = true, .no_lead = true
    };
    lum_library *library = NULL;
    TRY(lum_library_open(NULL, &options, &library, err));
    pgc_status status = jobs_work(library, &work, out, err);
    lum_library_close(library);
    return status;
}

/* One line of text from the database, asked as its superuser. */
static inline void worker_ask(const test_library *lib, const char *sql, char *out, size_t size)
{
    char state[6];
    pgc_conn *conn = schema_connect(lib->url);
    if (CHECK(conn != NULL)) {
        schema_ask(conn, sql, out, size, state);
        CHECK_STR(state, "");
    }
    pgc_conn_close(conn);
}

#define CHECK_ASKED(lib, sql, want)                      \
    do {                                                 \
        char asked_[2048] = "";                          \
        worker_ask((lib), (sql), asked_, sizeof asked_); \
        CHECK_STR(asked_, (want));                       \
    } while (0)

#endif
