/* NULL claims for the result columns of one statement.
 *
 * The claims come from the parse tree and the catalog; where either is silent the column is
 * nullable. Statements that libpg_query cannot read are no error. Thread-safe per arena. */
#include "base/prelude.h"

#include "sqlc/prove.h"

#include "sqlc/scope.h"

/* One reason for all columns.
 *
 *     the reason is what `explain` shows: "the columns of the statement are not certain" */
static void claim_nothing(null_claim *claims, size_t count, const char *reason)
{
    for (size_t i = 0; i < count; i++) {
        claims[i] = (null_claim) { .reason = reason };
    }
}

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "prove the columns of a statement");
}

static void claim_columns(null_claim *claims, const shape *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const value *v = &rows->columns[i].value;
        claims[i] = (null_claim) { .not_null = v->not_null,
                                   .elems_not_null = v->elems_not_null,
                                   .reason = v->reason != NULL ? v->reason : "not looked at" };
    }
}

/* The server's column count is the check on ours: when they differ, our idea of the statement
 * is wrong somewhere and no claim is safe. */
pgc_status prove_columns_given(const catalog *cat, const prove_input *input, size_t column_count,
                               arena *mem, null_claim *claims, pgc_error *err)
{
    assert(cat != NULL && mem != NULL && (claims != NULL || column_count == 0));
    const ast *statement = input->tree;
    pgc_status status = statement != NULL ? PGC_OK : ast_parse(input->sql, mem, &statement, NULL);
    if (status == PGC_NOMEM) {
        return no_memory(err);
    }
    if (status != PGC_OK) {
        claim_nothing(claims, column_count, "libpg_query cannot read the statement");
        return PGC_OK;
    }
    analysis a = { .cat = cat,
                   .mem = mem,
                   .param_not_null = input->param_not_null,
                   .param_count = input->param_count };
    shape rows = shape_of_statement(&a, NULL, NULL, statement);
    if (a.failed) {
        return no_memory(err);
    }
    if (!rows.known || rows.count != column_count) {
        claim_nothing(claims, column_count, "the columns of the statement are not certain");
        return PGC_OK;
    }
    claim_columns(claims, &rows);
    return PGC_OK;
}

pgc_status prove_view(const catalog *cat, const catalog_relation *view, arena *mem,
                      null_claim *claims, pgc_error *err)
{
    assert(cat != NULL && view->view_sql != NULL && claims != NULL);
    analysis a = { .cat = cat, .mem = mem };
    shape rows = shape_of_relation(&a, view);
    if (a.failed) {
        return no_memory(err);
    }
    assert(rows.known && rows.count == view->column_count);
    claim_columns(claims, &rows);
    return PGC_OK;
}

pgc_status prove_names(const catalog *cat, slice sql, size_t column_count, arena *mem,
                       const char **names, pgc_error *err)
{
    const ast *statement = NULL;
    pgc_status status = ast_parse(sql, mem, &statement, NULL);
    analysis a = { .cat = cat, .mem = mem };
    assert(cat != NULL && (names != NULL || column_count == 0));
    if (status == PGC_NOMEM) {
        return no_memory(err);
    }
    shape rows = { .known = false };
    if (status == PGC_OK) {
        rows = shape_of_statement(&a, NULL, NULL, statement);
    }
    if (a.failed) {
        return no_memory(err);
    }
    bool known = rows.known && rows.count == column_count;
    for (size_t i = 0; i < column_count; i++) {
        names[i] = known ? rows.columns[i].name : NULL;
    }
    return PGC_OK;
}

pgc_status prove_columns(const catalog *cat, slice sql, size_t column_count, arena *mem,
                         null_claim *claims, pgc_error *err)
{
    const prove_input input = { .sql = sql };
    return prove_columns_given(cat, &input, column_count, mem, claims, err);
}
