/* ./dev bench pgc: the runtime beside libpq by hand, which is the limit, and beside pgx. One
 * private server for all rows, on this machine; see bench/pgc/parts.h for how a row is added. */
#include "pgc/parts.h"

#include <malloc.h>

static void (*const PARTS[])(bench_site *, bench_rows *) = {
    point_rows, batch_rows, decode_rows, copy_rows, pool_rows, load_rows,
};

/* With LUMILIO_BENCH_KEEP_MEMORY only. glibc gives freed memory back to the system at once, so that
 * every large answer is paid for by page faults anew, ours and libpq's alike; Go keeps its heap.
 * What a program gets without asking is what the goals are held against. */
static void keep_memory(void)
{
    (void) mallopt(M_MMAP_THRESHOLD, 64 << 20);
    (void) mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

int main(int argc, char **argv)
{
    bench_site site;
    bench_rows rows = { .count = 0 };
    int code = 1;
    if (getenv("LUMILIO_BENCH_KEEP_MEMORY") != NULL) {
        keep_memory();
    }
    if (site_open(&site)) {
        for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
            PARTS[i](&site, &rows);
        }
        code = bench_main(argc, argv, "pgc", rows.cases, rows.count);
    }
    site_close(&site);
    return code;
}
