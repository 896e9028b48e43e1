/* Go writes the URL alphabet and reads the standard one; we read both and write what Go reads.
 * Threads: no state. */
#include "base/prelude.h"

#include "river/cursor.h"

#include <openssl/evp.h>

#include "base/buf.h"
#include "river/json.h"
#include "river/timetext.h"

typedef enum sort_column { SORT_ID, SORT_SCHEDULED, SORT_FINALIZED, SORT_ATTEMPTED } sort_column;

static const struct {
    river_statement up, down;
} SORTS[] = {
    [SORT_ID] = { ST_LIST_ID, ST_LIST_ID_DOWN },
    [SORT_SCHEDULED] = { ST_LIST_SCHEDULED, ST_LIST_SCHEDULED_DOWN },
    [SORT_FINALIZED] = { ST_LIST_FINALIZED, ST_LIST_FINALIZED_DOWN },
    [SORT_ATTEMPTED] = { ST_LIST_ATTEMPTED, ST_LIST_ATTEMPTED_DOWN },
};

/* River's names of the orders, kept in cursors. */
static const char *const ORDER_NAMES[] = {
    [RIVER_ORDER_ID] = "id",
    [RIVER_ORDER_TIME] = "time",
    [RIVER_ORDER_SCHEDULED_AT] = "scheduled_at",
    [RIVER_ORDER_FINALIZED_AT] = "finalized_at",
};

/* RIVER_ORDER_TIME means the column that fits the first state asked for. */
static sort_column column_of_time(river_states states)
{
    for (unsigned i = 0; i < RIVER_STATE_COUNT; i++) {
        if (states == 0 || (states & 1u << i) == 0) {
            continue;
        }
        if (RIVER_STATES_FINAL & 1u << i) {
            return SORT_FINALIZED;
        }
        return i == RIVER_RUNNING ? SORT_ATTEMPTED : SORT_SCHEDULED;
    }
    return SORT_SCHEDULED;
}

static sort_column column_of(const river_filter *filter)
{
    switch (filter->order) {
    case RIVER_ORDER_TIME:
        return column_of_time(filter->states);
    case RIVER_ORDER_SCHEDULED_AT:
        return SORT_SCHEDULED;
    case RIVER_ORDER_FINALIZED_AT:
        return SORT_FINALIZED;
    case RIVER_ORDER_ID:
    default:
        return SORT_ID;
    }
}

river_statement cursor_statement(const river_filter *filter)
{
    sort_column column = column_of(filter);
    return filter->descending ? SORTS[column].down : SORTS[column].up;
}

static pgc_status refuse(const char *why, pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID, "cursor: %s", why);
}

/* The JSON of a cursor into text. */
static bool decode(const char *cursor, char *text, size_t size, size_t *len_out)
{
    unsigned char standard[RIVER_CURSOR_SIZE + 4];
    size_t len = strlen(cursor);
    while (len > 0 && cursor[len - 1] == '=') {
        len--;
    }
    if (len == 0 || len >= RIVER_CURSOR_SIZE || size < RIVER_CURSOR_SIZE) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = cursor[i];
        standard[i] = (unsigned char) (c == '-' ? '+' : c == '_' ? '/' : c);
    }
    size_t padding = (4 - len % 4) % 4;
    memset(standard + len, '=', padding);
    int count = EVP_DecodeBlock((unsigned char *) text, standard, (int) (len + padding));
    if (count < 0 || padding == 3) {
        return false;
    }
    *len_out = (size_t) count - padding;
    return true;
}

pgc_status cursor_parse(const river_filter *filter, cursor_place *out, pgc_error *err)
{
    char bytes[RIVER_CURSOR_SIZE];
    size_t len = 0;
    if (!decode(filter->after, bytes, sizeof(bytes), &len)) {
        return refuse("no base64", err);
    }
    slice text = { bytes, len };
    TRY(pgc_error_wrap(err, json_check_object(text, err), "cursor"));
    sort_column column = column_of(filter);
    slice field = json_get(text, SLICE("sort_field"));
    if (field.ptr == NULL || field.len < 2 ||
        !slice_eq_str(slice_sub(field, 1, field.len - 1), ORDER_NAMES[filter->order])) {
        return refuse("made for another order", err);
    }
    slice id = json_get(text, SLICE("id")), time = json_get(text, SLICE("time"));
    cursor_place place = { 0 };
    if (id.ptr == NULL || !slice_to_i64(id, &place.id)) {
        return refuse("no id", err);
    }
    bool timed = time.len >= 2 && time_parse_rfc3339(slice_sub(time, 1, time.len - 1), &place.time);
    if (!timed && column != SORT_ID) {
        return refuse("no time", err);
    }
    *out = place;
    return PGC_OK;
}

static pgc_opt_timestamptz time_in(const river_job *job, sort_column column)
{
    switch (column) {
    case SORT_SCHEDULED:
        return (pgc_opt_timestamptz) { true, job->scheduled_at };
    case SORT_FINALIZED:
        return job->finalized_at;
    case SORT_ATTEMPTED:
        return job->attempted_at;
    case SORT_ID:
    default:
        return (pgc_opt_timestamptz) { false, { 0 } };
    }
}

pgc_status river_job_cursor(const river_job *job, const river_filter *filter, char *out,
                            size_t size, pgc_error *err)
{
    static const river_filter plain = { .struct_size = sizeof(plain) };
    filter = filter == NULL ? &plain : filter;
    sort_column column = column_of(filter);
    pgc_opt_timestamptz at = time_in(job, column);
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, RIVER_CURSOR_SIZE);
    buf_printf(&text, "{\"id\":%" PRId64 ",\"kind\":", job->id);
    json_add_text(&text, job->kind);
    buf_add_str(&text, ",\"queue\":");
    json_add_text(&text, job->queue);
    buf_printf(&text, ",\"sort_field\":\"%s\",\"time\":\"", ORDER_NAMES[filter->order]);
    if (at.has) {
        time_add_rfc3339(&text, at.v);
    } else {
        buf_add_str(&text, "0001-01-01T00:00:00Z");
    }
    buf_add_str(&text, "\"}");
    TRY(buf_finish(&text, err));
    if (size < RIVER_CURSOR_SIZE || text.len > (RIVER_CURSOR_SIZE - 1) / 4 * 3) {
        return pgc_error_set(err, PGC_LIMIT, "cursor: at most %u bytes", RIVER_CURSOR_SIZE);
    }
    (void) EVP_EncodeBlock((unsigned char *) out, (const unsigned char *) text.ptr, (int) text.len);
    return PGC_OK;
}
