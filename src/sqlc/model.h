/* Catalog to C: type references, field names, enums and one model per table. */
#ifndef SQLC_MODEL_H
#define SQLC_MODEL_H

#include "sqlc/config.h"
#include "sqlc/ir.h"

/* What naming and typing need; lives as long as one analysis. */
typedef struct model_context {
    arena *arena;       /* of everything that is made */
    const catalog *cat; /* read only */
    const config_c *options;
    diag_list *diags;        /* for names that cannot be made */
    const char *config_path; /* for complaints about names */
    uint32_t line, column;   /* of the sql entry there */
    ir_set *set;             /* filled by model_build() */
    vec type_overrides;      /* of type_override; see overrides.h */
} model_context;

/* Fill set->enums and set->models from the catalog. Names that cannot be made go to diags. */
pgc_status model_build(const model_context *ctx, pgc_error *err) PGC_MUST_CHECK;

/* Resolve a type. False: it has no C type, or memory ran out (set->nomem). */
bool model_type(const model_context *ctx, uint32_t type_oid, ir_type *out);
/* The same for a value of a column, which the config may have an own type for. column NULL: none.
 */
bool model_column_type(const model_context *ctx, const catalog_relation *relation,
                       const char *column, uint32_t type_oid, ir_type *out);
/* C name of a column, parameter or alias: renames first, then snake_case, then reserved words.
 * *out is NULL when none can be made. */
pgc_status model_field_name(const model_context *ctx, const char *raw, const char **out,
                            pgc_error *err) PGC_MUST_CHECK;
/* prefix_[schema_]name of a type; *out NULL: none can be made. */
pgc_status model_type_name(const model_context *ctx, const char *schema, const char *name,
                           const char **out, pgc_error *err) PGC_MUST_CHECK;
/* The name, or with a number that no earlier field has. NULL: no memory. */
const char *model_unique_field(const model_context *ctx, const ir_field *fields, size_t count,
                               const char *name);
/* "table.column", with its schema unless it is the default one; NULL: no memory. */
const char *model_source(const model_context *ctx, const catalog_relation *relation,
                         const char *column);
/* Model of a relation; NULL: none. */
ir_row *model_of(const model_context *ctx, uint32_t relation_oid);

#endif
