/* ./dev bench services: what the services take in a library of a million assets and a hundred
 * owners, and how that grows from ten thousand; see bench/services/parts.h for how a row is added.
 *
 * LUMILIO_BENCH_DATA=DIR keeps the libraries for the next run: making the large one takes long.
 * LUMILIO_BENCH_ASSETS and LUMILIO_BENCH_VECTORS give other sizes of it. */
#include "services/parts.h"

#define SMALL_ASSETS  10000
#define SMALL_VECTORS 8000

static void (*const PARTS[])(bench_rows *, services_site *, services_site *) = {
    list_rows, collection_rows, search_rows, policy_rows, plan_rows,
};

/* A size from the environment; 0 after a line on stderr. */
static int64_t size_of(const char *name, int64_t normal)
{
    const char *text = getenv(name);
    char *end = NULL;
    int64_t size = text != NULL ? strtoll(text, &end, 10) : normal;
    if (size < SMALL_ASSETS || (end != NULL && *end != '\0')) {
        (void) fprintf(stderr, "bench services: %s: a number, %d or more\n", name, SMALL_ASSETS);
        return 0;
    }
    return size;
}

int main(int argc, char **argv)
{
    static services_site big, small;
    static bench_rows rows;
    static char name[32];
    int code = 1;
    int64_t assets = size_of("LUMILIO_BENCH_ASSETS", 1000000);
    int64_t vectors = size_of("LUMILIO_BENCH_VECTORS", 200000);
    if (assets == 0 || vectors == 0) {
        return 2;
    }
    (void) snprintf(name, sizeof name, "%" PRId64, assets);
    if (site_open(&small, "10000", SMALL_ASSETS, SMALL_VECTORS) &&
        site_open(&big, name, assets, vectors)) {
        for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
            PARTS[i](&rows, &big, &small);
        }
        code = bench_main(argc, argv, "services", rows.cases, rows.count);
    }
    site_close(&big);
    site_close(&small);
    return code;
}
