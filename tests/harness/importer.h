/* Imports for tests: one library for the whole program, a user with a source folder of its own for
 * each case, and everything that an import said, kept for looking at. */
#ifndef TEST_IMPORTER_H
#define TEST_IMPORTER_H

#include <limits.h>
#include <sys/stat.h>

#include <pgc/error.h>

#include "base/vfs.h"
#include "image.h"
#include "library.h"
#include "schema.h"
#include "service/asset.h"
#include "tap.h"

#define IMPORTER_EVENTS_MAX 256
#define IMPORTER_PATH_SIZE  512

/* One event, copied. */
typedef struct importer_event {
    import_outcome outcome;
    int64_t file_size;
    char path[IMPORTER_PATH_SIZE];
    char reason[IMPORTER_PATH_SIZE];
} importer_event;

/* The library that all cases share; its file system is what `fs` points to, so that a case may put
 * faults in. Do not change it while an import runs. */
static test_library importer_library;
static env importer_env;

/* One case: a user, its session, its folders, and its last import. */
typedef struct importer {
    int32_t user_id;
    lum_session *session;
    char source[IMPORTER_PATH_SIZE];
    char root[IMPORTER_PATH_SIZE]; /* of the repository */
    import_options options;        /* as the next importer_run() shall have them */
    const char *paths[4];
    void (*on_event)(struct importer *self, const import_event *event);
    volatile int stop;
    /* The last run. */
    import_progress progress;
    pgc_status status;
    pgc_error err;
    importer_event events[IMPORTER_EVENTS_MAX];
    size_t event_count;
} importer;

static inline bool importer_library_open(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    importer_env = *env_default();
    if (!test_library_make(&importer_library)) {
        return false;
    }
    const lum_library_options options = { .home = importer_library.home,
                                          .database_url = importer_library.url };
    if (lum_library_open(&importer_env, &options, &importer_library.library, &err) != PGC_OK) {
        (void) printf("# open library: %s\n", err.message);
        return false;
    }
    return true;
}

static inline void importer_on_event(void *arg, const import_event *event,
                                     const import_progress *progress)
{
    importer *self = (importer *) arg;
    self->progress = *progress;
    if (self->event_count < IMPORTER_EVENTS_MAX) {
        importer_event *copy = &self->events[self->event_count++];
        copy->outcome = event->outcome;
        copy->file_size = event->file_size;
        (void) snprintf(copy->path, sizeof copy->path, "%s", event->path);
        (void) snprintf(copy->reason, sizeof copy->reason, "%s", event->reason);
    }
    if (self->on_event != NULL) {
        self->on_event(self, event);
    }
}

/* A new user and an empty source folder; name them after the case. */
static inline bool importer_make(importer *self, const char *name)
{
    pgc_error err;
    pgc_error_clear(&err);
    memset(self, 0, sizeof *self);
    pgc_pool *pool = lum_library_pool(importer_library.library);
    (void) snprintf(self->source, sizeof self->source, "%s/%s", importer_library.source, name);
    (void) snprintf(self->root, sizeof self->root, "%s/library/%s", importer_library.home, name);
    self->paths[0] = self->source;
    self->options = (import_options) { .paths = self->paths,
                                       .strategy = LUM_STRATEGY_FLAT,
                                       .helper_path = TEST_MEDIA_HELPER,
                                       .jobs = 2,
                                       .on_event = importer_on_event,
                                       .arg = self,
                                       .stop = &self->stop };
    return CHECK(mkdir(self->source, 0700) == 0) &&
           CHECK_STATUS(lum_user_ensure(pool, name, &self->user_id, &err), PGC_OK, &err) &&
           CHECK_STATUS(lum_session_open(pool, self->user_id, &self->session, &err), PGC_OK, &err);
}

static inline void importer_done(importer **self)
{
    if (*self != NULL) {
        lum_session_close((*self)->session);
        free(*self);
    }
}

/* An importer of this case, called like the function. */
#define IMPORTER(name)                                                             \
    AUTO(importer_done) importer *name = (importer *) calloc(1, sizeof(importer)); \
    REQUIRE(CHECK(name != NULL) && importer_make(name, __func__))

/* Import the paths of self->options; the result is in self->status, err, progress and events. */
static inline void importer_run(importer *self)
{
    self->event_count = 0;
    self->progress = (import_progress) { 0 };
    pgc_error_clear(&self->err);
    import_progress progress = { 0 };
    self->status =
        import_run(importer_library.library, self->session, &self->options, &progress, &self->err);
    self->progress = progress;
}

/* The event of a file, by the end of its path; NULL after a diagnostic line. */
static inline const importer_event *importer_find(const importer *self, const char *end)
{
    size_t length = strlen(end);
    for (size_t i = 0; i < self->event_count; i++) {
        size_t path = strlen(self->events[i].path);
        if (path >= length && strcmp(self->events[i].path + path - length, end) == 0) {
            return &self->events[i];
        }
    }
    (void) printf("# no event for %s\n", end);
    return NULL;
}

/* A file ended so, with these words in its reason. */
static inline bool importer_said(const importer *self, const char *end, import_outcome outcome,
                                 const char *words)
{
    const importer_event *event = importer_find(self, end);
    if (event == NULL || event->outcome != outcome || strstr(event->reason, words) == NULL) {
        (void) printf("# %s: outcome %d, reason \"%s\"\n", end, event ? (int) event->outcome : -1,
                      event ? event->reason : "");
        return false;
    }
    return true;
}

#define CHECK_COUNTS(self, created, duplicate, skipped, failed)              \
    do {                                                                     \
        CHECK_INT((self)->progress.outcomes[IMPORT_CREATED], (created));     \
        CHECK_INT((self)->progress.outcomes[IMPORT_DUPLICATE], (duplicate)); \
        CHECK_INT((self)->progress.outcomes[IMPORT_SKIPPED], (skipped));     \
        CHECK_INT((self)->progress.outcomes[IMPORT_FAILED], (failed));       \
        CHECK_INT((self)->progress.found, (self)->progress.done);            \
    } while (0)

/* Rows and files agree, and there are this many assets. */
static inline void importer_check(importer *self, uint64_t assets)
{
    pgc_error err;
    pgc_error_clear(&err);
    import_fsck found = { 0 };
    if (CHECK_STATUS(import_check(importer_library.library, self->session, true, &found, &err),
                     PGC_OK, &err)) {
        CHECK_INT(found.assets, assets);
        CHECK_INT(found.rows_without_file, 0);
        CHECK_INT(found.files_without_row, 0);
        CHECK_INT(found.size_mismatch, 0);
        CHECK_INT(found.hash_mismatch, 0);
    }
}

/* "source/name" into out. */
static inline const char *importer_path(const importer *self, const char *name,
                                        char out[IMPORTER_PATH_SIZE])
{
    int length = snprintf(out, IMPORTER_PATH_SIZE, "%s/%s", self->source, name);
    CHECK(length > 0 && length < IMPORTER_PATH_SIZE);
    return out;
}

/* A picture of its own for each number, below the source folder. */
static inline void importer_picture(const importer *self, const char *name, uint32_t number)
{
    char path[IMPORTER_PATH_SIZE];
    CHECK(image_write(importer_path(self, name, path), 40, 30, number));
}

/* The case's user in SQL for importer_ask(). */
#define OWNER "current_setting('test.user')::integer"

/* A question to the database as its superuser; OWNER stands for the case's user. */
static inline void importer_ask(const importer *self, const char *sql, char *out, size_t size)
{
    char text[1024];
    char state[6];
    pgc_conn *conn = schema_connect(importer_library.url);
    (void) snprintf(text, sizeof text, "SELECT set_config('test.user', '%d', false); %s",
                    (int) self->user_id, sql);
    if (CHECK(conn != NULL)) {
        schema_ask(conn, text, out, size, state);
        CHECK_STR(state, "");
    }
    pgc_conn_close(conn);
}

#define CHECK_ASK(self, sql, want)                          \
    do {                                                    \
        char asked_[1024] = "";                             \
        importer_ask((self), (sql), asked_, sizeof asked_); \
        CHECK_STR(asked_, (want));                          \
    } while (0)

#endif
