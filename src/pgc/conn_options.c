/* Options of connections: defaults, checks, and copies that outlive the caller's. No state; any
 * thread. */
#include "base/prelude.h"

#include "pgc/connection.h"

#include "base/options.h"
#include "base/slice.h"
#include "pgc/call.h"

#define CONNECT_TIMEOUT_DEFAULT_US 10000000
#define CALL_TIMEOUT_DEFAULT_US    30000000
#define STATEMENTS_DEFAULT         256u
#define SETTINGS_MAX               64u

/* Names go into the startup message as "-c name=value", where only letters are safe. */
static bool is_setting_name(const char *name)
{
    if (name == NULL || name[0] == '\0') {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        bool later = (*c >= '0' && *c <= '9') || *c == '.';
        if (!letter && !(later && c > name)) {
            return false;
        }
    }
    return true;
}

static pgc_status check_settings(const pgc_conn_options *options, pgc_error *err)
{
    if (options->setting_count > SETTINGS_MAX ||
        (options->setting_count > 0 && options->settings == NULL)) {
        return pgc_error_set(err, PGC_INVALID, "connection options: %zu settings, at most %u",
                             options->setting_count, SETTINGS_MAX);
    }
    for (size_t i = 0; i < options->setting_count; i++) {
        if (!is_setting_name(options->settings[i].name) || options->settings[i].value == NULL) {
            return pgc_error_set(err, PGC_INVALID,
                                 "connection options: setting %zu has no valid name or no value",
                                 i + 1);
        }
    }
    return PGC_OK;
}

/* Behind a transaction pooler the session belongs to everybody: what is set in it by a query would
 * reach other clients, and ours would run without it. */
static pgc_status check_pooler(const pgc_conn_options *options, pgc_error *err)
{
    bool late = options->settings_late && options->setting_count > 0;
    if (!options->unnamed_statements || (options->role == NULL && !late)) {
        return PGC_OK;
    }
    pgc_status status = pgc_error_set(
        err, PGC_INVALID,
        "connection options: %s cannot be set for the session together with unnamed_statements",
        options->role != NULL ? "a role" : "late settings");
    pgc_error_hint(err, "log in as that role; give settings to a scope or transaction");
    return status;
}

pgc_status conn_options_resolve(const pgc_conn_options *in, pgc_conn_options *out, pgc_error *err)
{
    pgc_conn_options full;
    TRY(options_take("connection options", in, &full, sizeof full, err));
    full.alloc = alloc_or_libc(full.alloc);
    full.conninfo = full.conninfo != NULL ? full.conninfo : "";
    if (full.connect_timeout_us <= 0) {
        full.connect_timeout_us = CONNECT_TIMEOUT_DEFAULT_US;
    }
    if (full.call_timeout_us == 0) {
        full.call_timeout_us = CALL_TIMEOUT_DEFAULT_US;
    }
    if (full.statement_cache == 0) {
        full.statement_cache = STATEMENTS_DEFAULT;
    }
    if (full.cancel_grace_us <= 0) {
        full.cancel_grace_us = CALL_CANCEL_GRACE_US;
    }
    if (full.recycle_bytes == 0) {
        full.recycle_bytes = CONN_BLOAT_BYTES;
    }
    TRY(check_settings(&full, err));
    TRY(check_pooler(&full, err));
    *out = full;
    return PGC_OK;
}

pgc_status conn_options_resolve_inner(pgc_conn_options *conn, pgc_error *err)
{
    pgc_conn_options given = *conn;
    given.struct_size = given.struct_size == 0 ? sizeof given : given.struct_size;
    return conn_options_resolve(&given, conn, err);
}

static bool copy_text(const pgc_alloc *alloc, const char **text)
{
    *text = *text == NULL ? NULL : mem_strdup(alloc, *text);
    return *text != NULL;
}

/* A copy may hold a password, which must not stay in freed memory. */
static void free_text(const pgc_alloc *alloc, const char *text)
{
    char *ours;
    memcpy(&ours, &text, sizeof ours); /* const only for those who read the options */
    if (ours != NULL) {
        size_t size = strlen(ours) + 1;
        explicit_bzero(ours, size);
        mem_free(alloc, ours, size);
    }
}

/* All or nothing is kept by conn_options_free(), which copes with holes. */
static bool copy_settings(pgc_conn_options *options)
{
    const pgc_setting *from = options->settings;
    size_t count = options->setting_count;
    options->settings = NULL;
    options->setting_count = 0;
    if (count == 0) {
        return true;
    }
    pgc_setting *copies = mem_new(options->alloc, count * sizeof *copies);
    if (copies == NULL) {
        return false;
    }
    options->settings = copies;
    options->setting_count = count;
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        copies[i] = from[i];
        all = copy_text(options->alloc, &copies[i].name) && all;
        all = copy_text(options->alloc, &copies[i].value) && all;
    }
    return all;
}

pgc_status conn_options_copy(pgc_conn_options *options, pgc_error *err)
{
    const char **const texts[] = { &options->conninfo, &options->user, &options->role,
                                   &options->app_name };
    assert(options->struct_size == sizeof *options);
    bool all = true;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        bool given = *texts[i] != NULL;
        all = (copy_text(options->alloc, texts[i]) || !given) && all;
    }
    all = copy_settings(options) && all;
    if (!all) {
        conn_options_free(options);
        return pgc_error_set(err, PGC_NOMEM, "connection options");
    }
    return PGC_OK;
}

void conn_options_free(pgc_conn_options *options)
{
    const pgc_alloc *alloc = options->alloc;
    pgc_setting *copies;
    free_text(alloc, TAKE(options->conninfo));
    free_text(alloc, TAKE(options->user));
    free_text(alloc, TAKE(options->role));
    free_text(alloc, TAKE(options->app_name));
    memcpy(&copies, &options->settings, sizeof copies);
    for (size_t i = 0; i < options->setting_count; i++) {
        free_text(alloc, copies[i].name);
        free_text(alloc, copies[i].value);
    }
    mem_free(alloc, copies, options->setting_count * sizeof *copies);
    options->settings = NULL;
    options->setting_count = 0;
}
