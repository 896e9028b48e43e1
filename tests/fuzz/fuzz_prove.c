/* The static analysis on arbitrary text, with the hand-made catalog of its unit tests: it ends, has
 * a reason for every column, and an expanded text has nothing left to expand. */
#include "base/prelude.h"

#include "sqlc/prove.h"

#include "fuzz.h"
#include "prove_catalog.h"

#define FUZZ_MEMORY_MAX ((size_t) 256 << 20)
#define COLUMNS         4
#define PARAMS          4

static const catalog *shared_catalog(void)
{
    static arena *mem;
    static const catalog *cat;
    if (mem == NULL) {
        mem = arena_new(NULL, 0, 0);
        cat = mem != NULL ? fixture_catalog(mem) : NULL;
    }
    return cat;
}

static void expand(const catalog *cat, slice sql, arena *mem)
{
    slice once = { NULL, 0 }, twice = { NULL, 0 };
    if (star_expand(cat, sql, mem, &once, NULL) == PGC_OK) {
        pgc_status status = star_expand(cat, once, mem, &twice, NULL);
        fuzz_insist(status == PGC_NOMEM || (status == PGC_OK && slice_eq(once, twice)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const catalog *cat = shared_catalog();
    arena *mem = arena_new(NULL, 0, FUZZ_MEMORY_MAX);
    slice sql = { (const char *) data, size };
    null_claim claims[COLUMNS] = { { .reason = NULL } };
    param_fact facts[PARAMS];
    if (cat != NULL && mem != NULL) {
        for (size_t count = 0; count <= COLUMNS; count++) {
            pgc_status status = prove_columns(cat, sql, count, mem, claims, NULL);
            fuzz_insist(status == PGC_OK || status == PGC_NOMEM);
            for (size_t i = 0; status == PGC_OK && i < count; i++) {
                fuzz_insist(claims[i].reason != NULL);
            }
        }
        pgc_status status = prove_params(cat, sql, PARAMS, mem, facts, NULL);
        fuzz_insist(status == PGC_OK || status == PGC_NOMEM);
        expand(cat, sql, mem);
    }
    arena_free(mem);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "SELECT * FROM users u LEFT JOIN assets a USING (asset_id) WHERE u.email = $1",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT r.*, x FROM r",
        "UPDATE users SET (email, username) = ($1, $2) FROM thumbs t WHERE t.size = $3 RETURNING *",
        "INSERT INTO users VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET email = excluded.email",
        "SELECT \"Odd Table\" . /* x */ * , count(*) OVER w FROM \"Odd Table\" WINDOW w AS ()",
        "SELECT username, sum(user_id) FROM users GROUP BY ROLLUP (username) HAVING username <> ''",
        "SELECT CASE WHEN email IS NULL THEN 1 ELSE 2 END, (u).*, ARRAY[1, 2][1:$1] FROM users u",
        "SELECT j.* FROM (users u NATURAL FULL JOIN assets a) AS j(x, y), LATERAL unnest(j.x) z(q)",
        "(SELECT 1 INTERSECT VALUES (1), (NULL)) EXCEPT SELECT user_id IN (TABLE other.users)",
    };
    return fuzz_seed_of(SEEDS, ARRAY_LEN(SEEDS), index, data, size);
}
