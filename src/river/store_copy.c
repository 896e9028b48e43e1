/*
 * Inserting rows by COPY, in its text format: the server reads every value with the type's own
 * input function, so that the enum, whose OID differs from database to database, needs no look-up.
 * "now" is the start of the transaction, as in the column's default. Threads: no state.
 */
#include "base/prelude.h"

#include "river/store_run.h"

#include <pgc/copy.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "river/timetext.h"

#define FLUSH_BYTES ((size_t) 64 * 1024)

/* River's own order of columns; types are the server's affair in this format. */
static const pgc_type_ref COLUMNS[] = {
    { "args", "jsonb", 0 },
    { "created_at", "timestamp with time zone", 0 },
    { "kind", "text", 0 },
    { "max_attempts", "smallint", 0 },
    { "metadata", "jsonb", 0 },
    { "priority", "smallint", 0 },
    { "queue", "text", 0 },
    { "scheduled_at", "timestamp with time zone", 0 },
    { "state", "river_job_state", 0 },
    { "tags", "character varying[]", 0 },
    { "unique_key", "bytea", 0 },
    { "unique_states", "bit(8)", 0 },
};

/* One value with what the format escapes; the separator stands in front. */
static void add_value(buf *out, slice text)
{
    size_t begin = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *escape = text.ptr[i] == '\\'   ? "\\\\"
                             : text.ptr[i] == '\t' ? "\\t"
                             : text.ptr[i] == '\n' ? "\\n"
                             : text.ptr[i] == '\r' ? "\\r"
                                                   : NULL;
        if (escape == NULL) {
            continue;
        }
        buf_add(out, (slice) { text.ptr + begin, i - begin });
        buf_add_str(out, escape);
        begin = i + 1;
    }
    buf_add(out, (slice) { text.ptr + begin, text.len - begin });
}

/* Elements in quotes: a tag may read "null". */
static void add_tags(buf *out, const river_insert *job)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < job->tag_count; i++) {
        buf_add_str(out, i > 0 ? ",\"" : "\"");
        add_value(out, pgc_text_from(job->tags[i]));
        buf_add_char(out, '"');
    }
    buf_add_char(out, '}');
}

static void add_unique(buf *out, const store_row *row)
{
    char hex[SHA256_HEX_SIZE];
    if (!row->unique) {
        buf_add_str(out, "\t\\N\t\\N\n");
        return;
    }
    sha256_hex(row->unique_key, hex);
    buf_printf(out, "\t\\\\x%s\t", hex);
    for (unsigned bit = 8; bit-- > 0;) {
        buf_add_char(out, (row->unique_states >> bit & 1u) != 0 ? '1' : '0');
    }
    buf_add_char(out, '\n');
}

static void add_row(buf *out, const store_row *row)
{
    const river_insert *job = row->job;
    assert(job->max_attempts > 0); /* defaults are filled in */
    add_value(out, job->args.ptr == NULL ? SLICE("{}") : job->args);
    buf_add_str(out, "\tnow\t");
    add_value(out, pgc_text_from(job->kind));
    buf_printf(out, "\t%d\t", job->max_attempts);
    add_value(out, job->metadata.ptr == NULL ? SLICE("{}") : job->metadata);
    buf_printf(out, "\t%d\t", job->priority == 0 ? RIVER_PRIORITY_DEFAULT : job->priority);
    add_value(out, pgc_text_from(job->queue == NULL ? RIVER_QUEUE_DEFAULT : job->queue));
    buf_add_char(out, '\t');
    if (job->scheduled_at.has) {
        time_add_rfc3339(out, job->scheduled_at.v);
    } else {
        buf_add_str(out, "now");
    }
    buf_printf(out, "\t%s\t", river_state_name(row->state));
    add_tags(out, job);
    add_unique(out, row);
}

static pgc_status flush(pgc_copy_in *in, buf *out, pgc_error *err)
{
    TRY(buf_finish(out, err));
    TRY(pgc_copy_in_bytes(in, out->ptr, out->len, err));
    buf_reset(out);
    return PGC_OK;
}

static pgc_status send_rows(pgc_copy_in *in, const store_row *rows, size_t count, pgc_error *err)
{
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, INT32_MAX);
    for (size_t i = 0; i < count; i++) {
        add_row(&out, &rows[i]);
        if (out.failed || out.len >= FLUSH_BYTES) {
            TRY(flush(in, &out, err));
        }
    }
    return out.len > 0 ? flush(in, &out, err) : PGC_OK;
}

pgc_status store_insert_copy(const river_store *store, pgc_tx *tx, const store_row *rows,
                             size_t count, pgc_error *err)
{
    const pgc_copy copy = { .name = "RiverInsertCopy",
                            .schema = store->schema,
                            .table = "river_job",
                            .columns = COLUMNS,
                            .column_count = ARRAY_LEN(COLUMNS) };
    const pgc_copy_options options = { .struct_size = sizeof(options),
                                       .format = PGC_COPY_TEXT,
                                       .unchecked = true };
    pgc_copy_in *in = NULL;
    int64_t stored = 0;
    TRY(pgc_copy_in_open(pgc_tx_db(tx), &copy, &options, &in, err));
    pgc_status status = send_rows(in, rows, count, err);
    if (status != PGC_OK) {
        pgc_copy_in_abort(in, "a row could not be sent");
        return pgc_error_wrap(err, status, "copy %zu jobs", count);
    }
    status = pgc_copy_in_finish(&in, &stored, err);
    assert(status != PGC_OK || stored == (int64_t) count);
    return pgc_error_wrap(err, status, "copy %zu jobs", count);
}
