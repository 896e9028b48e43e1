/* The SQL of River's migrations, line "main". */
#ifndef RIVER_MIGRATIONS_H
#define RIVER_MIGRATIONS_H

#include <river/migrate.h>

#define RIVER_LINE  "main"
#define RIVER_PLACE "@river@" /* in front of every name: stands for the schema and a dot, or "" */

typedef struct river_migration {
    int32_t version;
    const char *name; /* as River calls it */
    const char *up, *down;
} river_migration;

/* By version, 1 to RIVER_SCHEMA_VERSION without a gap. */
extern const river_migration RIVER_MIGRATIONS[RIVER_SCHEMA_VERSION];

#endif
