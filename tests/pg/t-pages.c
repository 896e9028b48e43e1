/* Pages of tags and of species, one behind the other, are the whole list, whatever is in it: each
 * list is said again by the superuser, in another way. One library for all cases; each has users of
 * its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "base/buf.h"
#include "person.h"
#include "random.h"
#include "schema.h"
#include "service/species.h"
#include "service/statistics.h"
#include "service/tag.h"
#include "tap.h"

#define SEED       4711
#define TEXT_BYTES 16384

static test_library lib;
static pgc_conn *root; /* superuser: looks behind the policies, and goes past the services */

static void must(const char *sql)
{
    char got[64];
    char state[6];
    schema_ask(root, sql, got, sizeof got, state);
    CHECK_STR(state, "");
}

/* What the superuser's statement gives for an owner, $o in it. */
static const char *truth(const person *owner, const char *sql)
{
    static char got[TEXT_BYTES];
    char text[2048];
    char state[6];
    (void) snprintf(text, sizeof text, "SET t.owner = '%d'; %s", (int) owner->id, sql);
    schema_ask(root, text, got, sizeof got, state);
    CHECK_STR(state, "");
    return got;
}

#define OWNER "current_setting('t.owner')::integer"

/* Own tags, shared ones that many have and shared ones that others have; some of them on trashed
 * assets alone, some on none. */
static void fill_tags(const person *owner, unsigned dice)
{
    char sql[2048];
    (void) snprintf(
        sql, sizeof sql,
        "INSERT INTO tags (name, category, owner_id) SELECT md5((n * %u)::text), "
        "(ARRAY['a', 'b', NULL])[1 + n %% 3], %d FROM generate_series(1, 40) n; "
        "INSERT INTO tags (name, category, owner_id, is_ai_generated) SELECT md5((n * %u)::text), "
        "(ARRAY['a', 'b', NULL])[1 + n %% 3], NULL, true FROM generate_series(1, 60) n "
        "ON CONFLICT DO NOTHING; "
        "INSERT INTO asset_tags (asset_id, tag_id, owner_id) SELECT a.asset_id, t.tag_id, "
        "a.owner_id FROM assets a JOIN tags t ON t.owner_id = a.owner_id OR t.owner_id IS NULL "
        "WHERE a.owner_id = %d AND (hashtext(t.name)::bigint + hashtext(a.asset_id::text) + %u) %% "
        "11 = 0 "
        "AND NOT EXISTS (SELECT FROM tags o WHERE o.owner_id = a.owner_id AND o.name = t.name "
        "AND t.owner_id IS NULL) ON CONFLICT DO NOTHING; "
        "UPDATE assets SET deleted_at = now() WHERE owner_id = %d AND "
        "(hashtext(asset_id::text)::bigint + %u) %% 3 = 0",
        dice, (int) owner->id, dice + 1, (int) owner->id, dice, (int) owner->id, dice);
    must(sql);
}

/* All tags by pages: "name:count " of each. */
static const char *tags_by_pages(const person *owner, lum_tag_page page, buf *text)
{
    char name[4 * LUM_TAG_NAME_MAX + 1];
    pgc_error err;
    pgc_error_clear(&err);
    buf_reset(text);
    for (int pages = 0; pages < 1000; pages++) {
        repo_list_tags_row_set set = PGC_ZERO;
        if (!CHECK_STATUS(lum_tag_list(owner->actor, &page, &set, &err), PGC_OK, &err)) {
            break;
        }
        size_t count = set.count;
        for (size_t i = 0; i < count; i++) {
            buf_printf(text, "%" SLICE_FMT ":%" PRId64 " ", SLICE_ARG(set.rows[i].name),
                       set.rows[i].asset_count);
            (void) snprintf(name, sizeof name, "%" SLICE_FMT, SLICE_ARG(set.rows[i].name));
            page.after_tag_id = set.rows[i].tag_id;
        }
        repo_list_tags_row_set_free(&set);
        if (count < (size_t) page.limit) {
            break;
        }
        page.after_name = pgc_text_from(name);
    }
    return text->len > 0 ? text->ptr : "";
}

#define TAGS_BUT(condition)                                                                \
    "SELECT coalesce(string_agg(t.name || ':' || (SELECT count(*) FROM asset_tags l "      \
    "JOIN assets a USING (asset_id) WHERE l.owner_id = " OWNER " AND l.tag_id = t.tag_id " \
    "AND a.deleted_at IS NULL) || ' ', '' ORDER BY t.name, t.tag_id), '') FROM tags t "    \
    "WHERE (t.owner_id = " OWNER " OR t.owner_id IS NULL AND t.tag_id IN (SELECT tag_id "  \
    "FROM asset_tags WHERE owner_id = " OWNER "))" condition

static void pages_of_tags_are_the_whole_list(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    AUTO(buf_auto) buf text;
    REQUIRE(person_make(&lib, &other, "other_of_pages"));
    buf_init(&text, NULL, TEXT_BYTES);
    uint64_t dice = SEED;
    (void) printf("# seed %d\n", SEED);
    for (int i = 0; i < 12; i++) {
        (void) person_add(&owner, "a");
        (void) person_add(&other, "b");
    }
    fill_tags(&other, (unsigned) random_below(&dice, 1000) + 1);
    fill_tags(&owner, (unsigned) random_below(&dice, 1000) + 1001);
    CHECK(strlen(truth(&owner, TAGS_BUT(""))) > 1000);
    for (int limit = 1; limit < 200; limit += limit < 8 ? 3 : 31) {
        lum_tag_page page = { .limit = limit };
        CHECK_STR(tags_by_pages(&owner, page, &text), truth(&owner, TAGS_BUT("")));
        page.part = SLICE("A1");
        CHECK_STR(tags_by_pages(&owner, page, &text),
                  truth(&owner, TAGS_BUT(" AND t.name LIKE '%a1%'")));
        page.part = SLICE("%");
        CHECK_STR(tags_by_pages(&owner, page, &text), "");
        page.part = SLICE("f");
        page.category = SLICE("b");
        CHECK_STR(tags_by_pages(&owner, page, &text),
                  truth(&owner, TAGS_BUT(" AND t.name LIKE '%f%' AND t.category = 'b'")));
        CHECK_STR(tags_by_pages(&other, (lum_tag_page) { .limit = limit }, &text),
                  truth(&other, TAGS_BUT("")));
    }
}

static void tags_of_statistics_are_those_that_live_assets_have(void)
{
    PERSON(&lib, owner);
    char got[32];
    for (int i = 0; i < 12; i++) {
        (void) person_add(&owner, "a");
    }
    fill_tags(&owner, 3001);
    repo_get_totals_row_set totals = PGC_ZERO;
    REQUIRE_OK(lum_stats_totals(owner.actor, &totals, &err), &err);
    (void) snprintf(got, sizeof got, "%" PRId64, totals.rows[0].tags);
    repo_get_totals_row_set_free(&totals);
    CHECK_STR(got, truth(&owner, "SELECT count(*) FROM tags t WHERE t.owner_id = " OWNER
                                 " OR t.owner_id IS NULL AND t.tag_id IN (SELECT l.tag_id FROM "
                                 "asset_tags l JOIN assets a USING (asset_id) WHERE l.owner_id "
                                 "= " OWNER " AND a.deleted_at IS NULL)"));
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, TEXT_BYTES);
    for (int limit = 1; limit < 100; limit += 24) {
        char sql[1024];
        repo_count_by_tag_row_set set = PGC_ZERO;
        REQUIRE_OK(lum_stats_tags(owner.actor, limit, &set, &err), &err);
        buf_reset(&text);
        for (size_t i = 0; i < set.count; i++) {
            buf_printf(&text, "%" SLICE_FMT ":%" PRId64 " ", SLICE_ARG(set.rows[i].name),
                       set.rows[i].asset_count);
        }
        repo_count_by_tag_row_set_free(&set);
        (void) snprintf(sql, sizeof sql,
                        "SELECT string_agg(name || ':' || n || ' ', '' ORDER BY n DESC, name, "
                        "tag_id) FROM (SELECT t.name, t.tag_id, count(*) AS n FROM asset_tags l "
                        "JOIN assets a USING (asset_id) JOIN tags t USING (tag_id) WHERE "
                        "l.owner_id = " OWNER " AND a.deleted_at IS NULL GROUP BY 1, 2 ORDER BY "
                        "n DESC, name, tag_id LIMIT %d) x",
                        limit);
        CHECK_STR(text.ptr, truth(&owner, sql));
    }
}

/* Photos of nine species; confidences are few, so that many photos have the same, and those of
 * whole tenths are among them. */
static void fill_species(const person *owner)
{
    char sql[1024];
    (void) snprintf(sql, sizeof sql,
                    "INSERT INTO species_predictions (asset_id, owner_id, species_name, "
                    "common_name, confidence) SELECT a.asset_id, a.owner_id, 'S' || s, 'c', "
                    "abs(hashtext(a.asset_id::text || s)) %% 41 * 0.025 FROM assets a, "
                    "generate_series(1, 9) s WHERE a.owner_id = %d; "
                    "UPDATE assets SET deleted_at = now() WHERE owner_id = %d AND "
                    "hashtext(asset_id::text) %% 4 = 0",
                    (int) owner->id, (int) owner->id);
    must(sql);
}

static const char *species_by_pages(const person *owner, lum_species_query query, buf *text)
{
    pgc_error err;
    pgc_error_clear(&err);
    buf_reset(text);
    for (int pages = 0; pages < 1000; pages++) {
        repo_list_assets_of_species_row_set set = PGC_ZERO;
        if (!CHECK_STATUS(lum_species_assets(owner->actor, &query, &set, &err), PGC_OK, &err)) {
            break;
        }
        size_t count = set.count;
        for (size_t i = 0; i < count; i++) {
            char id[PGC_UUID_TEXT_SIZE];
            pgc_uuid_format(&set.rows[i].a.asset_id, id);
            buf_add_str(text, id);
            buf_add_str(text, " ");
            query.behind = (pgc_opt_uuid) { true, set.rows[i].a.asset_id };
            query.behind_confidence = set.rows[i].confidence;
        }
        repo_list_assets_of_species_row_set_free(&set);
        if (count < (size_t) query.limit) {
            break;
        }
    }
    return text->len > 0 ? text->ptr : "";
}

/* Numbers that are kept and numbers that are counted make the list together; those that cannot be
 * among its first are not counted. */
static void check_counts(const person *owner, double least, buf *text)
{
    pgc_error err;
    pgc_error_clear(&err);
    for (int limit = 1; limit < 12; limit += limit < 4 ? 1 : 7) {
        char sql[1024];
        repo_count_species_row_set set = PGC_ZERO;
        REQUIRE_OK(lum_species_count(owner->actor, least, limit, &set, &err), &err);
        buf_reset(text);
        for (size_t k = 0; k < set.count; k++) {
            buf_printf(text, "%" SLICE_FMT ":%" PRId64 ":%.3f ",
                       SLICE_ARG(set.rows[k].species_name), set.rows[k].asset_count,
                       set.rows[k].best);
        }
        repo_count_species_row_set_free(&set);
        (void) snprintf(sql, sizeof sql,
                        "SELECT coalesce(string_agg(s || ':' || n || ':' || "
                        "to_char(best, 'FM0.000') || ' ', '' ORDER BY n DESC, s), '') FROM "
                        "(SELECT p.species_name AS s, count(*) FILTER (WHERE p.confidence >= "
                        "%.4f) AS n, max(p.confidence) AS best FROM species_predictions p JOIN "
                        "assets a USING (asset_id) WHERE a.owner_id = " OWNER " AND "
                        "a.deleted_at IS NULL GROUP BY 1 ORDER BY n DESC, s LIMIT %d) x "
                        "WHERE n > 0",
                        least, limit);
        CHECK_STR(text->len > 0 ? text->ptr : "", truth(owner, sql));
    }
}

static void pages_of_a_species_are_the_whole_list(void)
{
    PERSON(&lib, owner);
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, TEXT_BYTES);
    for (int i = 0; i < 120; i++) {
        (void) person_add(&owner, "a");
    }
    fill_species(&owner);
    static const double LEAST[] = { 0, 0.25, 0.3, 0.55, 0.8751, 1 };
    for (size_t i = 0; i < ARRAY_LEN(LEAST); i++) {
        char sql[1024];
        (void) snprintf(sql, sizeof sql,
                        "SELECT coalesce(string_agg(a.asset_id || ' ', '' ORDER BY p.confidence "
                        "DESC, a.asset_id DESC), '') FROM species_predictions p JOIN assets a "
                        "USING (asset_id) WHERE a.owner_id = " OWNER " AND a.deleted_at IS NULL "
                        "AND p.species_name = 'S2' AND p.confidence >= %.4f",
                        LEAST[i]);
        for (int limit = 1; limit < 200; limit += limit < 8 ? 3 : 60) {
            const lum_species_query query = { .name = SLICE("S2"),
                                              .min_confidence = LEAST[i],
                                              .limit = limit };
            CHECK_STR(species_by_pages(&owner, query, &text), truth(&owner, sql));
        }
        check_counts(&owner, LEAST[i], &text);
    }
}

static const tap_case CASES[] = {
    TAP("pages: those of tags are the whole list", pages_of_tags_are_the_whole_list),
    TAP("pages: tags of statistics are those that live assets have",
        tags_of_statistics_are_those_that_live_assets_have),
    TAP("pages: those of a species are the whole list", pages_of_a_species_are_the_whole_list),
};

LIBRARY_MAIN(lib, root, CASES)
