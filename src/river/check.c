/* Names and numbers as River's Go client accepts them (river.md section 3.2), so that no client
 * meets a row that it would have refused. Threads: no state. */
#include "base/prelude.h"

#include "river/check.h"

#include "river/json.h"
#include "river/unique.h"

static bool is_word(char c)
{
    return isalnum((unsigned char) c) != 0 || c == '_';
}

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

pgc_status check_queue(const char *name, pgc_error *err)
{
    size_t length = name == NULL ? 0 : strlen(name);
    if (length == 0) {
        return pgc_error_set(err, PGC_INVALID, "queue name is empty");
    }
    if (length > CHECK_QUEUE_MAX) {
        return pgc_error_set(err, PGC_INVALID, "queue name '%.20s...' has %zu bytes, at most %d",
                             name, length, CHECK_QUEUE_MAX);
    }
    for (size_t i = 0; i < length; i++) {
        bool separator =
            strchr("_|-", name[i]) != NULL && i > 0 && i + 1 < length && is_lower(name[i - 1]);
        if (!is_lower(name[i]) && !separator) {
            return pgc_error_set(err, PGC_INVALID,
                                 "queue name '%s': only lower-case letters, digits and single "
                                 "_ | - between them",
                                 name);
        }
    }
    return PGC_OK;
}

pgc_status check_kind(const char *kind, pgc_error *err)
{
    static const slice middle_dot = { "\xc2\xb7", 2 };
    size_t length = kind == NULL ? 0 : strlen(kind);
    if (length < 2 || length > CHECK_KIND_MAX) {
        return pgc_error_set(err, PGC_INVALID,
                             "job kind '%.20s' has %zu bytes; 2 to %d are allowed",
                             kind == NULL ? "" : kind, length, CHECK_KIND_MAX);
    }
    for (size_t i = 0; i < length; i++) {
        bool dot = i > 0 && slice_starts((slice) { kind + i, length - i }, middle_dot);
        if (dot) {
            i++;
        } else if (!is_word(kind[i]) && (i == 0 || strchr("-[]<>/.:+", kind[i]) == NULL)) {
            return pgc_error_set(err, PGC_INVALID,
                                 "job kind '%s': only letters, digits and _ - [ ] < > / . : +, a "
                                 "letter or digit first",
                                 kind);
        }
    }
    return PGC_OK;
}

pgc_status check_tag(const char *tag, pgc_error *err)
{
    size_t length = tag == NULL ? 0 : strlen(tag);
    bool good =
        length >= 3 && length <= CHECK_TAG_MAX && is_word(tag[0]) && is_word(tag[length - 1]);
    for (size_t i = 0; good && i < length; i++) {
        good = is_word(tag[i]) || tag[i] == '-';
    }
    if (good) {
        return PGC_OK;
    }
    return pgc_error_set(err, PGC_INVALID, "tag '%.40s': 3 to %d letters, digits, _ and - between",
                         tag ? tag : "", CHECK_TAG_MAX);
}

pgc_status check_client_id(const char *id, pgc_error *err)
{
    size_t length = id == NULL ? 0 : strlen(id);
    slice text = { id, length };
    if (length > 0 && length <= CHECK_CLIENT_MAX && slice_is_utf8(text)) {
        return PGC_OK;
    }
    return pgc_error_set(err, PGC_INVALID, "client id needs 1 to %d bytes of UTF-8, has %zu",
                         CHECK_CLIENT_MAX, length);
}

static pgc_status check_json(const char *what, slice json, pgc_error *err)
{
    if (json.ptr == NULL) {
        return PGC_OK;
    }
    return pgc_error_wrap(err, json_check_object(json, err), "%s", what);
}

pgc_status check_insert(const river_insert *job, pgc_error *err)
{
    TRY(check_kind(job->kind, err));
    if (job->queue != NULL) {
        TRY(check_queue(job->queue, err));
    }
    if (job->priority < 0 || job->priority > 4) {
        return pgc_error_set(err, PGC_INVALID, "priority %d of a '%s' job: 1 to 4", job->priority,
                             job->kind);
    }
    if (job->max_attempts < 0) {
        return pgc_error_set(err, PGC_INVALID, "max_attempts %d of a '%s' job: 1 to 32767",
                             job->max_attempts, job->kind);
    }
    for (size_t i = 0; i < job->tag_count; i++) {
        TRY(check_tag(job->tags[i], err));
    }
    TRY(check_json("arguments", job->args, err));
    TRY(check_json("metadata", job->metadata, err));
    return unique_check(&job->unique, err);
}
