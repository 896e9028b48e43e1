/* Migration reports as JSON, with the keys that Atlas uses. Empty members are left out. One thread;
 * writes one document to stdout. */
#include "cli/prelude.h"

#include "cli/migrate_view.h"

#include <jansson.h>

#include "base/json_auto.h"

/* Text member unless it is empty; false when memory ran out. */
static bool put_text(json_t *object, const char *key, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return true;
    }
    json_t *value = json_string(text);
    if (value == NULL) { /* not UTF-8 */
        value = json_string("?");
    }
    return json_object_set_new(object, key, value) == 0;
}

/* Text that is no UTF-8 cannot stand in JSON; it shows as a question mark. */
static bool put_slice(json_t *array, slice text)
{
    json_t *value = json_stringn(text.ptr, text.len);
    return json_array_append_new(array, value != NULL ? value : json_string("?")) == 0;
}

static bool put_time(json_t *object, const char *key, int64_t unix_us)
{
    char text[40];
    return put_text(object, key, migrate_view_time(unix_us, text));
}

/* Zero is left out, like every empty member. */
static bool put_count(json_t *object, const char *key, int64_t count)
{
    return count == 0 || json_object_set_new(object, key, json_integer(count)) == 0;
}

/* A list member unless it is empty; takes the array over. */
static bool put_array(json_t *object, const char *key, json_t *array)
{
    if (array == NULL || json_array_size(array) == 0) {
        json_decref(array);
        return array != NULL;
    }
    return json_object_set_new(object, key, array) == 0;
}

/* The URL without user, password and parameters. */
static bool put_url(json_t *object, const char *url)
{
    slice text = pgc_text_from(url != NULL ? url : "");
    const char *scheme_end = url != NULL ? strstr(url, "://") : NULL;
    json_t *parts = json_object(); /* stays empty for a keyword string */
    bool ok = parts != NULL;
    if (ok && scheme_end != NULL) {
        size_t scheme = (size_t) (scheme_end - url);
        slice rest = slice_sub(text, scheme + 3, text.len);
        slice before_query = slice_next(&rest, '?');
        slice path = before_query;
        slice host = slice_next(&path, '/');
        size_t at = slice_find(host, '@', 0);
        host = at == SIZE_MAX ? host : slice_sub(host, at + 1, host.len);
        ok = json_object_set_new(parts, "Scheme", json_stringn(url, scheme)) == 0 &&
             json_object_set_new(parts, "Host", json_stringn(host.ptr, host.len)) == 0 &&
             (path.ptr == NULL ||
              json_object_set_new(parts, "Path", json_stringn(path.ptr - 1, path.len + 1)) == 0);
    }
    return json_object_set_new(object, "URL", parts) == 0 && ok;
}

/* Driver, URL and directory, as Atlas reports them. */
static bool put_env(json_t *object, const migrate_view_env *view)
{
    return put_text(object, "Driver", "postgres") && put_url(object, view->url) &&
           put_text(object, "Dir", view->dir);
}

/* Name, version, description. */
static bool fill_file(json_t *object, const migrate_file *file)
{
    return put_text(object, "Name", file->name) && put_text(object, "Version", file->version) &&
           put_text(object, "Description", file->description);
}

/* A list of files under a key. */
static bool put_files(json_t *object, const char *key, const migrate_file *const *files,
                      size_t count)
{
    json_t *array = json_array();
    bool ok = array != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        json_t *item = json_object();
        ok = item != NULL && fill_file(item, files[i]);
        ok = json_array_append_new(array, item) == 0 && ok;
    }
    return put_array(object, key, array) && ok;
}

/* One file of an apply: times, statements done, and the failure if there was one. */
static bool fill_run(json_t *object, const migrate_file_run *run)
{
    json_t *applied = json_array();
    bool ok = applied != NULL && fill_file(object, run->file) &&
              put_time(object, "Start", run->start_us) && put_time(object, "End", run->end_us) &&
              put_count(object, "Skipped", (int64_t) run->skipped);
    for (size_t i = 0; ok && i < run->applied_count; i++) {
        ok = put_slice(applied, run->applied[i]);
    }
    ok = put_array(object, "Applied", applied) && ok;
    if (ok && run->error != NULL) {
        json_t *error = json_object();
        ok = json_object_set_new(object, "Error", error) == 0 &&
             (run->failed.ptr == NULL ||
              json_object_set_new(error, "Stmt", json_stringn(run->failed.ptr, run->failed.len)) ==
                  0) &&
             put_text(error, "Text", run->error);
    }
    return ok;
}

/* One line, keys in the order they were set. */
static bool print(const json_t *document)
{
    bool ok = json_dumpf(document, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0;
    (void) printf("\n");
    return ok;
}

/* Driver, URL and directory stand at the top level here, in status below "Env": so does Atlas. */
bool migrate_view_apply_json(const migrate_view_env *view, const migrate_apply_report *report,
                             const pgc_error *err)
{
    AUTO(json_auto) json_t *document = json_object();
    json_t *runs = json_array();
    bool ok = document != NULL && runs != NULL && put_env(document, view) &&
              put_files(document, "Pending", report->pending, report->pending_count);
    for (size_t i = 0; ok && i < report->run_count; i++) {
        json_t *run = json_object();
        ok = run != NULL && fill_run(run, &report->runs[i]);
        ok = json_array_append_new(runs, run) == 0 && ok;
    }
    ok = put_array(document, "Applied", runs) && ok;
    ok = ok && put_text(document, "Current", report->current) &&
         put_text(document, "Target", report->target) &&
         put_time(document, "Start", report->start_us) &&
         put_time(document, "End", report->end_us) &&
         put_text(document, "Error", err != NULL ? err->message : NULL);
    if (ok && err == NULL && report->pending_count == 0) {
        ok = put_text(document, "Message", "No migration files to execute");
    }
    return ok && print(document);
}

/* Numbers of a row are shown even when they are zero: they are its content. */
static bool fill_row(json_t *object, const migrate_revision *row)
{
    char type[32];
    return put_text(object, "Version", row->version) &&
           put_text(object, "Description", row->description) &&
           put_text(object, "Type", migrate_revision_type_text(row, type)) &&
           json_object_set_new(object, "Applied", json_integer(row->applied)) == 0 &&
           json_object_set_new(object, "Total", json_integer(row->total)) == 0 &&
           put_time(object, "ExecutedAt", row->executed_us) &&
           json_object_set_new(object, "ExecutionTime", json_integer(row->execution_time_ns)) ==
               0 &&
           put_text(object, "Error", row->error) &&
           put_text(object, "ErrorStmt", row->error_stmt) &&
           put_text(object, "OperatorVersion", row->operator_version);
}

/* All rows of the revision table. */
static bool put_rows(json_t *object, const migrate_status_report *report)
{
    json_t *array = json_array();
    bool ok = array != NULL;
    for (size_t i = 0; ok && i < report->applied_count; i++) {
        json_t *item = json_object();
        ok = item != NULL && fill_row(item, &report->applied[i]);
        ok = json_array_append_new(array, item) == 0 && ok;
    }
    return put_array(object, "Applied", array) && ok;
}

bool migrate_view_status_json(const migrate_view_env *view, const migrate_status_report *report)
{
    AUTO(json_auto) json_t *document = json_object();
    json_t *env_part = json_object();
    json_t *notes = json_array();
    bool ok = document != NULL && env_part != NULL && notes != NULL &&
              json_object_set(document, "Env", env_part) == 0 && put_env(env_part, view) &&
              put_files(document, "Available", report->available, report->available_count) &&
              put_files(document, "OutOfOrder", report->out_of_order, report->out_of_order_count) &&
              put_files(document, "Pending", report->pending, report->pending_count) &&
              put_rows(document, report);
    json_decref(env_part);
    for (size_t i = 0; ok && i < report->note_count; i++) {
        ok = put_slice(notes, pgc_text_from(report->notes[i]));
    }
    ok = put_array(document, "Notes", notes) && ok;
    ok = ok && put_text(document, "Current", report->current) &&
         put_text(document, "Next", report->next) &&
         put_count(document, "Count", (int64_t) report->count) &&
         put_count(document, "Total", (int64_t) report->total) &&
         put_text(document, "Status", report->up_to_date ? "OK" : "PENDING") &&
         put_text(document, "Error", report->error) && put_text(document, "SQL", report->sql);
    return ok && print(document);
}
