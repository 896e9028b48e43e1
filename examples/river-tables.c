/* Are River's tables there, and up to date? Shows what would be done; with "apply" behind the URL
 * it is done. This file is also C++17.
 *
 *     cc river-tables.c $(pkg-config --cflags --libs river) -o river-tables
 *     ./river-tables postgresql:///postgres apply */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgc/pgc.h>
#include <river/river.h>

static void on_step(void *arg, const river_migration_step *step)
{
    const bool *dry = (const bool *) arg;
    printf("%s %d: %s\n", *dry ? "missing" : "applied", (int) step->version, step->name);
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    bool dry = argc < 3 || strcmp(argv[2], "apply") != 0;
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_conn_options options = PGC_ZERO;
    options.struct_size = sizeof options;
    options.conninfo = url != NULL ? url : "";
    pgc_status status = pgc_conn_open(&options, &conn, &err);
    if (status == PGC_OK) {
        river_migrate_options all = PGC_ZERO;
        all.struct_size = sizeof all;
        all.dry_run = dry;
        all.arg = &dry;
        all.done = on_step;
        printf("libriver %s, tables of version %d\n", river_version(), RIVER_SCHEMA_VERSION);
        status = river_migrate(conn, RIVER_UP, &all, NULL, &err);
    }
    if (status == PGC_OK) {
        status = river_migrate_validate(conn, NULL, &err);
        printf("%s\n", status == PGC_OK ? "up to date" : err.message);
    } else {
        fprintf(stderr, "river-tables: %s\n", err.message);
    }
    pgc_conn_close(conn);
    return status == PGC_OK ? 0 : dry && status == PGC_SCHEMA ? 3 : 1;
}
