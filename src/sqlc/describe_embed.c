/* sqlc.embed(): what each stands for, and its columns in the text. The server is asked with a
 * probe, the same text with markers around the columns. No state but that of the query. */
#include "base/prelude.h"

#include "sqlc/describe_parts.h"

#include "base/ident.h"

/* Text with each "t.*" of an embed replaced by what `write` puts there. */
typedef void (*embed_writer)(buf *b, const describe_work *w, size_t index);

/* Everything but the embeds stays byte for byte. NULL: no memory. The spans of the text are not
 * moved along: errors of this text are reported for the whole query. */
static char *replace_embeds(const describe_work *w, embed_writer write, size_t *len)
{
    AUTO(buf_auto) buf b;
    slice sql = w->facts.text.sql;
    size_t at = 0;
    buf_init(&b, NULL, DESCRIBE_SQL_MAX);
    for (size_t i = 0; i < w->facts.text.embeds.count; i++) {
        const query_embed *embed = VEC_AT(&w->facts.text.embeds, query_embed, i);
        buf_add(&b, slice_sub(sql, at, embed->sql_start));
        write(&b, w, i);
        at = embed->sql_end;
    }
    buf_add(&b, slice_sub(sql, at, sql.len));
    *len = b.len;
    return b.failed ? NULL : arena_copy(w->ctx.arena, buf_view(&b));
}

/* Markers around the columns tell where the embed lands in the result. They are only described,
 * never executed. The alias of the marker cannot be a column of the user's: names with this
 * prefix would collide with nothing else in one result.
 *
 *     SELECT '' AS "sqlc_embed_0", a.*, '' AS "sqlc_embed_end", count(*) … */
static void write_probe(buf *b, const describe_work *w, size_t index)
{
    const query_embed *embed = VEC_AT(&w->facts.text.embeds, query_embed, index);
    buf_printf(b, "'' AS \"sqlc_embed_%zu\", %s.*, '' AS \"sqlc_embed_end\"", index, embed->alias);
}

/* The model's columns by name: those without C type are left out, and columns that are added to the
 * table later do not change the result. Keywords are fine behind "alias.". */
static void write_columns(buf *b, const describe_work *w, size_t index)
{
    const embed_span *span = &w->facts.embeds[index];
    size_t line = b->len;
    assert(index < w->facts.embed_count);
    assert(w->facts.embeds[index].model != NULL);
    for (size_t i = 0; i < span->model->field_count; i++) {
        bool full = b->len - line > 80; /* keeps the text readable in logs and comments */
        line = full ? b->len : line;
        buf_printf(b, "%s%s.", i == 0 ? "" : full ? ",\n       " : ", ", span->embed->alias);
        ident_add(b, span->model->fields[i].sql_name);
    }
}

/* The place of the embed is known exactly, whatever the server said about the probe. */
static void embed_error(describe_work *w, const query_embed *embed, const char *what)
{
    diag *d = diag_error(w->ctx.diags, w->facts.source->file, embed->at, "sqlc.embed(%s): %s",
                         embed->name, what);
    diag_hint(w->ctx.diags, d,
              "embed takes a table, view or alias of one, in the outermost select "
              "list");
    w->ok = false;
}

/* Columns between the markers of one embed tell which relation it is. Source: sqlc.md §8.4: the
 * columns must be all of one relation, in its own order, else the model's decoder would read the
 * wrong ones. */
static void locate_embed(describe_work *w, const described *probe, size_t index, size_t *left_out)
{
    embed_span *span = &w->facts.embeds[index];
    char marker[40];
    size_t first = 0;
    size_t end = 0;
    assert(index < w->facts.embed_count);
    span->embed = VEC_AT(&w->facts.text.embeds, query_embed, index);
    (void) snprintf(marker, sizeof marker, "sqlc_embed_%zu", index);
    while (first < probe->column_count && strcmp(probe->columns[first].name, marker) != 0) {
        first++;
    }
    first++; /* behind the marker */
    end = first;
    while (end < probe->column_count && strcmp(probe->columns[end].name, "sqlc_embed_end") != 0) {
        end++;
    }
    if (end >= probe->column_count || end == first) {
        embed_error(w, span->embed, "its columns do not reach the result");
        return;
    }
    span->model = model_of(&w->ctx, probe->columns[first].table_oid);
    bool same = span->model != NULL;
    for (size_t i = first; i < end; i++) {
        same = same && probe->columns[i].table_oid == probe->columns[first].table_oid;
    }
    const catalog_relation *relation =
        catalog_relation_by_oid(w->ctx.cat, probe->columns[first].table_oid);
    if (!same || relation == NULL || relation->column_count != end - first) {
        embed_error(w, span->embed, "not a table or view");
        return;
    }
    /* Markers before it and columns without C type before it are not in the final text. */
    span->first = first - (2 * index + 1) - *left_out;
    *left_out += relation->column_count - span->model->field_count;
    span->model->used = true;
}

pgc_status embed_probe(describe_work *w, slice *out, pgc_error *err)
{
    size_t len = 0;
    w->facts.embeds = ARENA_ARRAY(w->ctx.arena, w->facts.text.embeds.count, embed_span);
    char *text = replace_embeds(w, write_probe, &len);
    if (w->facts.embeds == NULL || text == NULL) {
        return describe_no_memory(w, err);
    }
    w->facts.embed_count = w->facts.text.embeds.count;
    *out = (slice) { text, len };
    return PGC_OK;
}

void embed_refused(describe_work *w, const char *what)
{
    embed_error(w, VEC_AT(&w->facts.text.embeds, query_embed, 0), what);
}

/* Each place is worked out from those before it, so the first mistake is the last one told. */
pgc_status embed_expand(describe_work *w, const described *probe, slice *sql, pgc_error *err)
{
    size_t left_out = 0;
    size_t len = 0;
    for (size_t i = 0; i < w->facts.embed_count && w->ok; i++) {
        locate_embed(w, probe, i, &left_out);
    }
    if (!w->ok) {
        return PGC_OK;
    }
    char *text = replace_embeds(w, write_columns, &len);
    if (text == NULL) {
        return describe_no_memory(w, err);
    }
    *sql = (slice) { text, len };
    return PGC_OK;
}
