/*
 * Unique keys. Two clients must hash the same bytes for the same job, so this follows what River's
 * Go code does, not what its texts say: the period counts from year 1 and from now, top-level keys
 * are sorted, nested objects keep their order. Facts: river.md section 3.5. Threads: no state.
 */
#include "base/prelude.h"

#include "river/unique.h"

#include "base/arena.h"
#include "river/json.h"
#include "river/timetext.h"

/* Seconds from 0001-01-01 to 2000-01-01: Go truncates times to multiples counted from year 1. */
#define YEAR_1_TO_2000_US INT64_C(63082281600000000)

/* Characters that River's path syntax takes as something else than part of a name. */
#define PATH_SPECIAL ".*?|#@\\"

bool unique_wanted(const river_unique *unique)
{
    return unique->by_args || unique->by_queue || unique->by_period_us != 0 ||
           unique->by_state != 0 || unique->path_count > 0;
}

pgc_status unique_check(const river_unique *unique, pgc_error *err)
{
    static const river_states required =
        RIVER_STATE_BIT(RIVER_AVAILABLE) | RIVER_STATE_BIT(RIVER_PENDING) |
        RIVER_STATE_BIT(RIVER_RUNNING) | RIVER_STATE_BIT(RIVER_SCHEDULED);
    if (unique->by_period_us != 0 && unique->by_period_us < 1000000) {
        return pgc_error_set(err, PGC_INVALID, "unique.by_period_us is below one second");
    }
    if (unique->by_state != 0 && (unique->by_state & required) != required) {
        return pgc_error_set(err, PGC_INVALID,
                             "unique.by_state lacks available, pending, running or scheduled");
    }
    return PGC_OK;
}

typedef struct entry {
    slice name; /* decoded */
    slice raw;  /* value; absent for a path that the arguments do not have */
} entry;

static int compare_entries(const void *a, const void *b)
{
    const entry *left = (const entry *) a, *right = (const entry *) b;
    return slice_cmp(left->name, right->name);
}

/* A key as River's JSON writer spells it: plain when it is plain ASCII, else as Go would. */
static void add_key(buf *out, slice name)
{
    bool plain = true;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char) name.ptr[i];
        plain = plain && c >= ' ' && c <= 0x7f && c != '"' && c != '\\';
    }
    if (!plain) {
        json_add_text(out, name);
        return;
    }
    buf_add_char(out, '"');
    buf_add(out, name);
    buf_add_char(out, '"');
}

static pgc_status check_key(slice name, pgc_error *err)
{
    bool special = name.len == 0 || name.ptr[0] == ':';
    for (size_t i = 0; i < name.len && !special; i++) {
        special = strchr(PATH_SPECIAL, name.ptr[i]) != NULL;
    }
    if (!special) {
        return PGC_OK;
    }
    return pgc_error_set(err, PGC_INVALID,
                         "unique by arguments: River would read the key '%" SLICE_FMT
                         "' as a path; rename it, or name the arguments that count",
                         SLICE_ARG(name));
}

/* Text that a JSON string stands for, in the arena. */
static pgc_status decoded(arena *memory, slice string, slice *out, pgc_error *err)
{
    char *bytes = arena_take(memory, string.len);
    if (bytes == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "unique key: out of memory");
    }
    *out = (slice) { bytes, json_decode(string, bytes) };
    return PGC_OK;
}

/* Members of an object, sorted. Two of one name have no defined key in Go. */
static pgc_status sorted_members(arena *memory, slice object, entry **out, size_t *count_out,
                                 pgc_error *err)
{
    json_walk walk;
    json_member member;
    size_t count = 0;
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &member)) {
        count++;
    }
    entry *entries = ARENA_ARRAY(memory, count + 1, entry);
    if (entries == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "unique key: out of memory");
    }
    json_walk_begin(&walk, object);
    for (size_t i = 0; i < count && json_walk_next(&walk, &member); i++) {
        TRY(decoded(memory, member.key, &entries[i].name, err));
        entries[i].raw = member.value;
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    for (size_t i = 1; i < count; i++) {
        if (slice_eq(entries[i - 1].name, entries[i].name)) {
            return pgc_error_set(err, PGC_INVALID, "unique by arguments: '%" SLICE_FMT "' is twice",
                                 SLICE_ARG(entries[i].name));
        }
    }
    *out = entries;
    *count_out = count;
    return PGC_OK;
}

static pgc_status add_all(slice args, arena *memory, buf *out, pgc_error *err)
{
    entry *entries = NULL;
    size_t count = 0;
    TRY(sorted_members(memory, args, &entries, &count, err));
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        TRY(check_key(entries[i].name, err));
        if (i > 0) {
            buf_add_char(out, ',');
        }
        add_key(out, entries[i].name);
        buf_add_char(out, ':');
        json_add_go(out, entries[i].raw);
    }
    buf_add_char(out, '}');
    return PGC_OK;
}

/* The value at a dotted path; absent when a part is missing or no object. */
static slice value_at(slice object, slice path)
{
    slice rest = path, value = object;
    while (rest.ptr != NULL) {
        slice part = slice_next(&rest, '.');
        if (value.ptr == NULL || !json_is(value, '{')) {
            return (slice) { NULL, 0 };
        }
        value = json_get(value, part);
    }
    return value;
}

static pgc_status check_path(slice path, pgc_error *err)
{
    slice rest = path;
    while (rest.ptr != NULL) {
        slice part = slice_next(&rest, '.');
        int64_t number;
        TRY(check_key(part, err));
        if (slice_to_i64(part, &number)) {
            return pgc_error_set(err, PGC_INVALID,
                                 "unique path '%" SLICE_FMT "': a number would be read as an index",
                                 SLICE_ARG(path));
        }
    }
    return PGC_OK;
}

/* Writes entries[*next…] whose names begin with prefix as one object. Sorted names keep all of one
 * parent together. A path below one that is written already adds nothing. */
static void add_object(const entry *entries, size_t count, size_t *next, slice prefix, buf *out)
{
    bool first = true;
    buf_add_char(out, '{');
    while (*next < count && slice_starts(entries[*next].name, prefix)) {
        const entry *current = &entries[*next];
        size_t dot = slice_find(current->name, '.', prefix.len);
        size_t end = dot == SIZE_MAX ? current->name.len : dot;
        if (!first) {
            buf_add_char(out, ',');
        }
        first = false;
        add_key(out, slice_sub(current->name, prefix.len, end));
        buf_add_char(out, ':');
        if (dot != SIZE_MAX) {
            add_object(entries, count, next, slice_sub(current->name, 0, dot + 1), out);
            continue;
        }
        json_add_go(out, current->raw);
        slice written = current->name;
        for ((*next)++; *next < count; (*next)++) {
            slice name = entries[*next].name;
            bool below = slice_starts(name, written) &&
                         (name.len == written.len || name.ptr[written.len] == '.');
            if (!below) {
                break;
            }
        }
    }
    buf_add_char(out, '}');
}

static pgc_status add_paths(const river_unique *unique, slice args, arena *memory, buf *out,
                            pgc_error *err)
{
    entry *entries = ARENA_ARRAY(memory, unique->path_count, entry);
    size_t count = 0;
    if (entries == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "unique key: out of memory");
    }
    for (size_t i = 0; i < unique->path_count; i++) {
        slice path = { unique->paths[i], strlen(unique->paths[i]) };
        TRY(check_path(path, err));
        slice raw = value_at(args, path);
        if (raw.ptr != NULL) {
            entries[count++] = (entry) { path, raw };
        }
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    size_t next = 0;
    if (count > 0) { /* without any, River hashes the empty text, not {} */
        add_object(entries, count, &next, SLICE(""), out);
    }
    return PGC_OK;
}

static pgc_status add_args(const river_insert *job, buf *out, pgc_error *err)
{
    slice args = job->args.ptr == NULL ? SLICE("{}") : job->args;
    TRY(json_check_object(args, err));
    AUTO(arena_auto) arena *memory = arena_new(out->alloc, 0, 0);
    if (memory == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "unique key: out of memory");
    }
    if (job->unique.path_count > 0) {
        return add_paths(&job->unique, args, memory, out, err);
    }
    return add_all(args, memory, out, err);
}

/* Start of the period: multiples counted from year 1, as Go truncates times. */
static pgc_timestamptz period_start(pgc_timestamptz at, int64_t period_us)
{
    int64_t since = at.us + YEAR_1_TO_2000_US;
    return (pgc_timestamptz) { since - since % period_us - YEAR_1_TO_2000_US };
}

pgc_status unique_text(const river_insert *job, pgc_timestamptz now, buf *out, pgc_error *err)
{
    const river_unique *unique = &job->unique;
    if (!unique->exclude_kind) {
        buf_add_str(out, "&kind=");
        buf_add_str(out, job->kind);
    }
    if (unique->by_args || unique->path_count > 0) {
        buf_add_str(out, "&args=");
        TRY(add_args(job, out, err));
    }
    if (unique->by_period_us > 0) {
        bool scheduled = unique->period_of_scheduled && job->scheduled_at.has;
        pgc_timestamptz start =
            period_start(scheduled ? job->scheduled_at.v : now, unique->by_period_us);
        start.us -= (start.us % 1000000 + 1000000) % 1000000; /* the text has whole seconds */
        buf_add_str(out, "&period=");
        time_add_rfc3339(out, start);
    }
    if (unique->by_queue) {
        buf_add_str(out, "&queue=");
        buf_add_str(out, job->queue == NULL ? RIVER_QUEUE_DEFAULT : job->queue);
    }
    return buf_finish(out, err);
}

pgc_status unique_key(const river_insert *job, pgc_timestamptz now, const pgc_alloc *alloc,
                      uint8_t key[static SHA256_SIZE], pgc_error *err)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, alloc, INT32_MAX);
    TRY(unique_text(job, now, &text, err));
    if (!sha256_of(text.ptr == NULL ? "" : text.ptr, text.len, key)) {
        return pgc_error_set(err, PGC_NOMEM, "unique key: SHA-256 failed");
    }
    return PGC_OK;
}
