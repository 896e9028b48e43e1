/* ./dev bench pgc: the runtime beside libpq by hand, which is the limit, and beside pgx. One
 * private server for all rows, on this machine; see bench/pgc/parts.h for how a row is added. Freed
 * memory is kept as lumilio keeps it, for ours and for libpq by hand: Go keeps its heap anyway. */
#include "pgc/parts.h"

#include "base/alloc.h"

#define MEMORY_KEPT ((size_t) 64 << 20) /* as in src/cli/main.c */

static void (*const PARTS[])(bench_site *, bench_rows *) = {
    point_rows, batch_rows, decode_rows, copy_rows, pool_rows, load_rows,
};

int main(int argc, char **argv)
{
    bench_site site;
    bench_rows rows = { .count = 0 };
    int code = 1;
    (void) mem_keep_freed(MEMORY_KEPT);
    if (site_open(&site)) {
        for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
            PARTS[i](&site, &rows);
        }
        code = bench_main(argc, argv, "pgc", rows.cases, rows.count);
    }
    site_close(&site);
    return code;
}
