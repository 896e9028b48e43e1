/* Our job queue migrations beside River's own, on one server. */
#include "base/prelude.h"

#include <river/migrate.h>

#include "peer.h"
#include "river_catalog.h"
#include "scratch.h"
#include "tap.h"

static peer river;

__attribute__((destructor)) static void remove_peer(void)
{
    peer_remove(&river);
}

/* Two databases: ours and one that River migrates. */
typedef struct pair {
    scratch ours, theirs;
    arena *mem;
    buf output;
} pair;

static void pair_done(pair *p)
{
    arena_free(p->mem);
    buf_done(&p->output);
    scratch_drop(&p->ours);
    scratch_drop(&p->theirs);
}

static bool pair_begin(pair *p)
{
    memset(p, 0, sizeof *p);
    buf_init(&p->output, NULL, 1 << 20);
    p->mem = arena_new(NULL, 0, 0);
    return p->mem != NULL && scratch_make(&p->ours) && scratch_make(&p->theirs) &&
           scratch_do(&p->ours, "CREATE SCHEMA queue") &&
           scratch_do(&p->theirs, "CREATE SCHEMA queue");
}

#define PAIR(name)                                     \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    if (!peer_build(&river, "river")) {                \
        TAP_SKIP(river.why_not);                       \
    }                                                  \
    AUTO(pair_done) pair name;                         \
    REQUIRE(pair_begin(&name))

static void ours_to(pair *p, scratch *db, river_direction direction, int32_t version)
{
    const river_migrate_options options = { .struct_size = sizeof options,
                                            .schema = "queue",
                                            .target_version = version };
    pgc_error err;
    (void) p;
    CHECK_STATUS(river_migrate(db->conn, direction, &options, NULL, &err), PGC_OK, &err);
}

static void theirs_to(pair *p, const scratch *db, const char *direction, int32_t version)
{
    char number[16];
    (void) snprintf(number, sizeof number, "%" PRId32, version);
    CHECK_INT(peer_run(&river, 0, &p->output, direction, db->url, "queue", number), 0);
}

static const char *catalog(pair *p, scratch *db)
{
    const char *text = scratch_text(db, p->mem, RIVER_CATALOG_SQL);
    CHECK(scratch_do(db, "RESET search_path"));
    return text;
}

static void same_catalogs(pair *p, int32_t version)
{
    if (!CHECK(strcmp(catalog(p, &p->ours), catalog(p, &p->theirs)) == 0)) {
        printf("# at version %" PRId32 "\n# ours:\n%s\n# theirs:\n%s\n", version,
               catalog(p, &p->ours), catalog(p, &p->theirs));
    }
}

static void every_version_looks_alike(void)
{
    PAIR(p);
    for (int32_t version = 1; version <= RIVER_SCHEMA_VERSION; version++) {
        ours_to(&p, &p.ours, RIVER_UP, version);
        theirs_to(&p, &p.theirs, "up", version);
        same_catalogs(&p, version);
    }
    for (int32_t version = RIVER_SCHEMA_VERSION - 1; version >= 1; version--) {
        ours_to(&p, &p.ours, RIVER_DOWN, version);
        theirs_to(&p, &p.theirs, "down", version);
        same_catalogs(&p, version);
    }
}

static void river_accepts_what_we_made(void)
{
    PAIR(p);
    ours_to(&p, &p.ours, RIVER_UP, 0);
    CHECK_INT(peer_run(&river, 0, &p.output, "validate", p.ours.url, "queue", NULL), 0);
    CHECK_INT(peer_run(&river, 0, &p.output, "list", p.ours.url, "queue", NULL), 0);
    CHECK(slice_eq_str(buf_view(&p.output), "1\n2\n3\n4\n5\n6\n7\n"));
    theirs_to(&p, &p.ours, "up", 0);
    theirs_to(&p, &p.ours, "down", -1);
    CHECK_STR(catalog(&p, &p.ours), "(null)");
    /* And the other way round. */
    theirs_to(&p, &p.theirs, "up", 0);
    pgc_error err;
    CHECK_STATUS(river_migrate_validate(p.theirs.conn, "queue", &err), PGC_OK, &err);
    ours_to(&p, &p.theirs, RIVER_DOWN, -1);
    CHECK_STR(catalog(&p, &p.theirs), "(null)");
}

static void either_finishes_what_the_other_began(void)
{
    PAIR(p);
    for (int32_t version = 1; version < RIVER_SCHEMA_VERSION; version++) {
        ours_to(&p, &p.ours, RIVER_UP, version);
        theirs_to(&p, &p.ours, "up", 0);
        theirs_to(&p, &p.theirs, "up", version);
        ours_to(&p, &p.theirs, RIVER_UP, 0);
        same_catalogs(&p, version);
        CHECK_STR(scratch_text(&p.theirs, p.mem,
                               "SELECT string_agg(line || version, ' ' ORDER BY version) "
                               "FROM queue.river_migration"),
                  "main1 main2 main3 main4 main5 main6 main7");
        ours_to(&p, &p.ours, RIVER_DOWN, -1);
        theirs_to(&p, &p.theirs, "down", -1);
    }
}

/* Bodies of functions are not compared as text: their answers are. */
static void functions_answer_alike(void)
{
    PAIR(p);
    static const char ALL_ANSWERS[] =
        "SELECT md5(string_agg(b::text || e || queue.river_job_state_in_bitmask(b::bit(8), e), ',' "
        "ORDER BY b, e)) FROM generate_series(0, 255) b, "
        "unnest(enum_range(NULL::queue.river_job_state)) e";
    ours_to(&p, &p.ours, RIVER_UP, 0);
    theirs_to(&p, &p.theirs, "up", 0);
    CHECK_STR(scratch_text(&p.ours, p.mem, ALL_ANSWERS),
              scratch_text(&p.theirs, p.mem, ALL_ANSWERS));
}

TAP_MAIN(TAP("river: every version looks alike, up and down", every_version_looks_alike),
         TAP("river: each accepts what the other made", river_accepts_what_we_made),
         TAP("river: each finishes what the other began", either_finishes_what_the_other_began),
         TAP("river: functions answer alike", functions_answer_alike))
