/* What upstream says about a database, as our catalog. */
#ifndef SQLC_PLUGIN_WORLD_H
#define SQLC_PLUGIN_WORLD_H

#include "sqlc/catalog.h"
#include "sqlc/compile.h"

struct Plugin__GenerateRequest;
struct Plugin__Identifier;

typedef struct plugin_world {
    arena *arena;
    const struct Plugin__GenerateRequest *request;
    const char *default_schema;
    catalog *built_in; /* types of every server, for look-ups by spelling */
    vec types;         /* of catalog_type: those of this database, each followed by its array */
    catalog *cat;      /* finished */
    vec sources;       /* of query_source */
    vec queries;       /* of const Plugin__Query *, one per source */
} plugin_world;

/* Tables, enums and all types that the request names. *out borrows the request. PGC_OK; PGC_INVALID
 * (more of something than a database has); PGC_NOMEM. */
pgc_status plugin_world_make(arena *arena, const struct Plugin__GenerateRequest *request,
                             plugin_world *out, pgc_error *err) PGC_MUST_CHECK;
/* Type of a name in upstream's spelling; 0: upstream does not know it ("any"), or it has no array
 * type. */
uint32_t plugin_type(const plugin_world *world, const struct Plugin__Identifier *type, bool array);
/* Table of a name; NULL: none, such as that of a CTE. */
const catalog_relation *plugin_relation(const plugin_world *world,
                                        const struct Plugin__Identifier *table);

/* plugin_query.c: facts of one query; arg is the plugin_world. */
pgc_status plugin_describe(void *arg, const model_context *ctx, const query_source *source,
                           query_variants *out, bool *ok, pgc_error *err) PGC_MUST_CHECK;

#endif
