/* A library for a test: a folder and a database of its own, opened as programs open it. */
#ifndef TEST_LIBRARY_H
#define TEST_LIBRARY_H

#include "pg.h"
#include "service/library.h"
#include "service/session.h"
#include "service/user.h"
#include "tmpdir.h"
#include "work/import.h"

typedef struct test_library {
    tmpdir folder; /* home/ and source/ are in it */
    char home[96];
    char source[96];
    const char *url;
    lum_library *library; /* NULL while closed */
    lum_session *session;
} test_library;

#define TEST_MEDIA_HELPER TEST_BUILD_ROOT "/lumilio-media"

static inline bool test_library_open(test_library *t, pgc_error *err)
{
    const lum_library_options options = { .home = t->home, .database_url = t->url };
    int32_t user_id = 0;
    t->library = NULL;
    t->session = NULL;
    return lum_library_open(NULL, &options, &t->library, err) == PGC_OK &&
           lum_user_ensure(lum_library_pool(t->library), "tester", &user_id, err) == PGC_OK &&
           lum_session_open(lum_library_pool(t->library), user_id, &t->session, err) == PGC_OK;
}

static inline void test_library_close(test_library *t)
{
    lum_session_close(t->session);
    lum_library_close(t->library);
    t->session = NULL;
    t->library = NULL;
}

/* Folder, database, not yet opened. False after a diagnostic line. */
static inline bool test_library_make(test_library *t)
{
    t->folder = tmpdir_make();
    (void) snprintf(t->home, sizeof t->home, "%s/home", t->folder.path);
    (void) snprintf(t->source, sizeof t->source, "%s/source", t->folder.path);
    t->url = test_db_create();
    t->library = NULL;
    t->session = NULL;
    return t->folder.fd >= 0 && mkdir(t->source, 0700) == 0 && t->url != NULL;
}

static inline void test_library_remove(test_library *t)
{
    test_library_close(t);
    tmpdir_remove(&t->folder);
    if (t->url != NULL) {
        test_db_drop(t->url);
    }
}

#endif
