/* The SQL of River's migrations, line "main". */
#ifndef RIVER_MIGRATIONS_H
#define RIVER_MIGRATIONS_H

#include <stddef.h>
#include <stdint.h>

#define RIVER_LINE    "main"
#define RIVER_PLACE   "@river@" /* in front of every name: stands for the schema and a dot, or "" */
#define RIVER_VERSION 7         /* the newest */

typedef struct river_migration {
    int32_t version;
    const char *name; /* as River calls it */
    const char *up, *down;
} river_migration;

/* By version, 1 to RIVER_VERSION without a gap. */
extern const river_migration RIVER_MIGRATIONS[RIVER_VERSION];

#endif
