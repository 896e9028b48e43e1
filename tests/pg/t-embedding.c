/* Embeddings and their models on a real server: what is stored, refused and kept from others, and
 * the switch from one model to another. One library for all cases; each has a user of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "http_server.h"
#include "person.h"
#include "schema.h"
#include "service/embedding.h"
#include "service/embedding_fill.h"
#include "service/repository.h"
#include "tap.h"

#define DIM LUM_EMBEDDING_DIM

static test_library lib;

static bool set_up(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    bool good = test_library_make(&lib) && test_library_open(&lib, &err);
    if (!good) {
        (void) printf("# %s\n", err.message);
    }
    return good;
}

/* A vector that points mostly along one axis. */
static const float *along(size_t axis, float length)
{
    static float v[DIM];
    for (size_t i = 0; i < DIM; i++) {
        v[i] = i == axis ? length : length * 0.01f;
    }
    return v;
}

static void ask(const char *sql, char *out, size_t size)
{
    char state[6];
    pgc_conn *conn = schema_connect(lib.url);
    if (CHECK(conn != NULL)) {
        schema_ask(conn, sql, out, size, state);
        CHECK_STR(state, "");
    }
    pgc_conn_close(conn);
}

#define CHECK_ASK(sql, want)           \
    do {                               \
        char got_[512] = "";           \
        ask((sql), got_, sizeof got_); \
        CHECK_STR(got_, (want));       \
    } while (0)

static void a_vector_comes_back_with_length_one(void)
{
    PERSON(&lib, owner);
    float got[DIM];
    bool changed = false;
    double norm = 0;
    pgc_uuid id = person_add(&owner, "a.jpg");
    REQUIRE_OK(lum_embedding_save(owner.actor, id, along(3, 7), DIM, NULL, &changed, &err), &err);
    CHECK(changed);
    REQUIRE_OK(lum_embedding_get(owner.actor, id, LUM_MODEL_SEED, got, &err), &err);
    for (size_t i = 0; i < DIM; i++) {
        norm += (double) got[i] * (double) got[i];
    }
    CHECK(fabs(norm - 1) < 2e-3);
    CHECK(got[3] > 0.9f && got[4] < 0.1f);
}

static void a_second_vector_replaces_the_first(void)
{
    PERSON(&lib, owner);
    float got[DIM];
    bool changed = false;
    pgc_uuid id = person_add(&owner, "a.jpg");
    REQUIRE_OK(lum_embedding_save(owner.actor, id, along(1, 1), DIM, NULL, NULL, &err), &err);
    REQUIRE_OK(lum_embedding_save(owner.actor, id, along(2, 1), DIM, NULL, &changed, &err), &err);
    CHECK(changed);
    REQUIRE_OK(lum_embedding_get(owner.actor, id, NULL, got, &err), &err);
    CHECK(got[2] > got[1]);
}

/* The row version stays: no dead row, no second element of the graph. */
static void the_same_vector_touches_nothing(void)
{
    PERSON(&lib, owner);
    char before[64] = "";
    char after[64] = "";
    bool changed = true;
    pgc_uuid id = person_add(&owner, "a.jpg");
    char sql[256];
    (void) snprintf(sql, sizeof sql,
                    "SELECT xmin::text || ctid::text FROM embeddings WHERE owner_id = %" PRId32,
                    owner.id);
    REQUIRE_OK(lum_embedding_save(owner.actor, id, along(5, 1), DIM, NULL, NULL, &err), &err);
    ask(sql, before, sizeof before);
    REQUIRE_OK(lum_embedding_save(owner.actor, id, along(5, 3), DIM, NULL, &changed, &err), &err);
    ask(sql, after, sizeof after);
    CHECK(!changed);
    CHECK(before[0] != '\0');
    CHECK_STR(after, before);
}

static void other_dimensions_are_refused(void)
{
    static const size_t WRONG[] = { 0, 1, 511, 513, 768, 1024, 16000 };
    PERSON(&lib, owner);
    static float v[16000];
    v[0] = 1;
    pgc_uuid id = person_add(&owner, "a.jpg");
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        char want[64];
        (void) snprintf(want, sizeof want, "of %zu dimensions: this library has 512", WRONG[i]);
        CHECK_STATUS(lum_embedding_save(owner.actor, id, v, WRONG[i], NULL, NULL, &err),
                     PGC_INVALID, &err);
        CHECK(person_says(&err, want));
    }
    CHECK_STATUS(lum_embedding_get(owner.actor, id, NULL, v, &err), PGC_NOT_FOUND, &err);
}

static void what_has_no_direction_is_refused(void)
{
    PERSON(&lib, owner);
    pgc_uuid id = person_add(&owner, "a.jpg");
    const float wrong[] = { NAN, INFINITY, -INFINITY };
    float v[DIM];
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        memcpy(v, along(0, 1), sizeof v);
        v[511] = wrong[i];
        CHECK_STATUS(lum_embedding_save(owner.actor, id, v, DIM, NULL, NULL, &err), PGC_INVALID,
                     &err);
        CHECK(person_says(&err, "component 512 is not finite"));
    }
    memset(v, 0, sizeof v);
    CHECK_STATUS(lum_embedding_save(owner.actor, id, v, DIM, NULL, NULL, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "zero"));
    v[0] = 1e-30f;
    CHECK_STATUS(lum_embedding_save(owner.actor, id, v, DIM, NULL, NULL, &err), PGC_INVALID, &err);
    v[0] = 3e38f; /* its square is no float any more */
    v[1] = -3e38f;
    REQUIRE_OK(lum_embedding_save(owner.actor, id, v, DIM, NULL, NULL, &err), &err);
    REQUIRE_OK(lum_embedding_get(owner.actor, id, NULL, v, &err), &err);
    CHECK(v[0] > 0.7f && v[0] < 0.71f && v[1] < -0.7f);
}

static void foreign_and_absent_assets_are_not_found(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "somebody_else"));
    float got[DIM];
    pgc_uuid theirs = person_add(&other, "a.jpg");
    const pgc_uuid nobody = { { 7 } };
    REQUIRE_OK(lum_embedding_save(other.actor, theirs, along(1, 1), DIM, NULL, NULL, &err), &err);
    CHECK_STATUS(lum_embedding_save(owner.actor, nobody, along(1, 1), DIM, NULL, NULL, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no such asset"));
    pgc_status status = lum_embedding_save(owner.actor, theirs, along(2, 1), DIM, NULL, NULL, &err);
    CHECK(status == PGC_NOT_FOUND || status == PGC_DENIED);
    CHECK_STATUS(lum_embedding_save(owner.actor, nobody, along(1, 1), DIM, NULL, NULL, NULL),
                 PGC_NOT_FOUND, NULL);
    CHECK_STATUS(lum_embedding_get(owner.actor, theirs, NULL, got, &err), PGC_NOT_FOUND, &err);
    REQUIRE_OK(lum_embedding_get(other.actor, theirs, NULL, got, &err), &err);
    CHECK(got[1] > 0.9f);
}

static void models_have_names(void)
{
    PERSON(&lib, owner);
    pgc_uuid id = person_add(&owner, "a.jpg");
    char name[LUM_MODEL_NAME_MAX + 2];
    memset(name, 'm', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_STATUS(lum_embedding_save(owner.actor, id, along(1, 1), DIM, "", NULL, &err), PGC_INVALID,
                 &err);
    CHECK_STATUS(lum_embedding_save(owner.actor, id, along(1, 1), DIM, name, NULL, &err),
                 PGC_INVALID, &err);
    CHECK_STATUS(lum_embedding_save(owner.actor, id, along(1, 1), DIM, "\xff", NULL, &err),
                 PGC_INVALID, &err);
    CHECK_STATUS(lum_embedding_save(owner.actor, id, along(1, 1), DIM, "no-such", NULL, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no embedding model \"no-such\""));
    CHECK(err.hint[0] != '\0');
    CHECK_STATUS(lum_model_add(lib.library, "", NULL, &err), PGC_INVALID, &err);
}

static void users_cannot_change_models(void)
{
    PERSON(&lib, owner);
    bool added = true;
    int64_t missing = 0;
    const repo_use_embedding_model_params use = { .model_version = SLICE("x") };
    CHECK_STATUS(repo_add_embedding_model(owner.actor.db, SLICE("x"), &added, &err), PGC_DENIED,
                 &err);
    CHECK_STATUS(repo_use_embedding_model(owner.actor.db, &use, &missing, &err), PGC_DENIED, &err);
    CHECK_ASK("SELECT count(*) FROM unnest(ARRAY['lumilio_app', 'lumilio_worker']) r "
              "WHERE has_table_privilege(r, 'embedding_models', 'INSERT, UPDATE, DELETE') "
              "OR has_any_column_privilege(r, 'embedding_models', 'UPDATE')",
              "0");
}

static const repo_list_embedding_models_row *
find_model(const repo_list_embedding_models_row_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (slice_eq_str(set->rows[i].name, name)) {
            return &set->rows[i];
        }
    }
    return NULL;
}

/* The old model answers until the new one is complete. */
static void a_model_is_switched_when_it_is_complete(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "with_one_more"));
    bool added = false;
    int64_t missing = -1;
    char active[LUM_MODEL_NAME_MAX + 1];
    char old[LUM_MODEL_NAME_MAX + 1];
    repo_list_assets_to_embed_set waiting = PGC_ZERO;
    pgc_uuid mine = person_add(&owner, "a.jpg");
    pgc_uuid theirs = person_add(&other, "b.jpg");
    pgc_uuid trashed = person_add(&other, "c.jpg");
    const pgc_uuid start = { { 0 } };
    REQUIRE_OK(lum_model_active(owner.actor, old, &err), &err);
    REQUIRE_OK(lum_embedding_save(owner.actor, mine, along(1, 1), DIM, old, NULL, &err), &err);
    REQUIRE_OK(lum_embedding_save(other.actor, theirs, along(2, 1), DIM, old, NULL, &err), &err);
    REQUIRE_OK(lum_embedding_save(other.actor, trashed, along(3, 1), DIM, old, NULL, &err), &err);
    REQUIRE_OK(lum_asset_delete(other.actor, trashed, &err), &err);
    REQUIRE_OK(lum_model_add(lib.library, "better", &added, &err), &err);
    CHECK(added);
    REQUIRE_OK(lum_model_add(lib.library, "better", &added, &err), &err);
    CHECK(!added);
    REQUIRE_OK(lum_embedding_save(owner.actor, mine, along(9, 1), DIM, "better", NULL, &err), &err);
    CHECK_STATUS(lum_model_use(lib.library, "better", false, &missing, &err), PGC_CONFLICT, &err);
    CHECK(missing >= 1);
    REQUIRE_OK(lum_model_active(owner.actor, active, &err), &err);
    CHECK_STR(active, old);
    REQUIRE_OK(lum_embedding_missing(other.actor, "better", start, 10, &waiting, &err), &err);
    CHECK_INT(waiting.count, 1);
    CHECK(waiting.count == 1 && person_same(waiting.rows[0], theirs));
    repo_list_assets_to_embed_set_free(&waiting);
    REQUIRE_OK(lum_embedding_missing(other.actor, "better", theirs, 10, &waiting, &err), &err);
    CHECK_INT(waiting.count, 0);
    repo_list_assets_to_embed_set_free(&waiting);
    REQUIRE_OK(lum_embedding_save(other.actor, theirs, along(8, 1), DIM, "better", NULL, &err),
               &err);
    REQUIRE_OK(lum_model_use(lib.library, "better", true, &missing, &err), &err);
    REQUIRE_OK(lum_model_active(owner.actor, active, &err), &err);
    CHECK_STR(active, "better");
    REQUIRE_OK(lum_model_use(lib.library, old, false, &missing, &err), &err);
    CHECK_INT(missing, 0);
    CHECK_STATUS(lum_model_use(lib.library, "worse", true, &missing, &err), PGC_NOT_FOUND, &err);
    repo_list_embedding_models_row_set models = PGC_ZERO;
    REQUIRE_OK(lum_model_list(owner.actor, &models, &err), &err);
    const repo_list_embedding_models_row *better = find_model(&models, "better");
    CHECK(better != NULL && better->embedding_count == 1 && !better->is_active);
    CHECK(find_model(&models, old) != NULL && find_model(&models, old)->is_active);
    repo_list_embedding_models_row_set_free(&models);
    CHECK_ASK("SELECT count(*) FROM embedding_models WHERE is_active", "1");
}

static void each_model_has_a_graph_of_its_own(void)
{
    PERSON(&lib, owner);
    REQUIRE_OK(lum_model_add(lib.library, "it's \"quoted\"; --", NULL, &err), &err);
    CHECK_ASK("SELECT count(*) - (SELECT count(*) FROM embedding_models) FROM pg_indexes "
              "WHERE tablename = 'embeddings' AND indexdef LIKE '%USING hnsw%' "
              "AND indexdef LIKE '%m=''16'', ef_construction=''200''%' "
              "AND indexdef LIKE '%WHERE ((model_version)::text = %'",
              "0");
    CHECK_ASK("SELECT count(*) FROM pg_indexes WHERE tablename = 'embeddings' "
              "AND indexdef LIKE '%it''''s \"quoted\"; --%'",
              "1");
}

static void a_seventeenth_model_is_refused(void)
{
    PERSON(&lib, owner);
    pgc_status status = PGC_OK;
    for (int i = 0; i < 17 && status == PGC_OK; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "many-%d", i);
        status = lum_model_add(lib.library, name, NULL, &err);
    }
    CHECK_STATUS(status, PGC_LIMIT, &err);
    CHECK_ASK("SELECT count(*) FROM embedding_models", "16");
}

static void pages_of_missing_assets_have_bounds(void)
{
    PERSON(&lib, owner);
    static const int32_t WRONG[] = { INT32_MIN, -1, 0, LUM_PAGE_MAX + 1, INT32_MAX };
    repo_list_assets_to_embed_set set = PGC_ZERO;
    const pgc_uuid start = { { 0 } };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        CHECK_STATUS(lum_embedding_missing(owner.actor, "m", start, WRONG[i], &set, &err),
                     PGC_INVALID, &err);
    }
    CHECK(set.rows == NULL);
}

/* Thumbnails go to the server, vectors come into rows; a second call finds nothing left. */
static void missing_vectors_are_filled_in(void)
{
    PERSON(&lib, owner);
    static http_server server;
    static char body[16384];
    repo_repository_set home = PGC_ZERO;
    repo_thumbnail_set made = PGC_ZERO;
    lum_fill_counts counts;
    float v[DIM];
    REQUIRE(CHECK(http_server_open(&server)));
    size_t used = (size_t) snprintf(body, sizeof body, "{\"clip\": \"[1");
    for (size_t i = 1; i < DIM; i++) {
        used += (size_t) snprintf(body + used, sizeof body - used, ",0.01");
    }
    (void) snprintf(body + used, sizeof body - used, "]\"}");
    const http_answer answers[] = { { 200, body, HTTP_FINE } };
    http_server_say(&server, answers, 1);
    REQUIRE_OK(lum_repository_ensure_default(owner.actor, env_default(), lib.home, &home, &err),
               &err);
    repo_create_asset_params row = person_photo(&owner, "seen.jpg");
    row.repository_id = (pgc_opt_uuid) { true, home.rows[0].repo_id };
    pgc_uuid id = person_add_row(&owner, &row);
    (void) person_add(&owner, "without thumbnail.jpg");
    const repo_create_thumbnail_params thumbnail = { .asset_id = id,
                                                     .owner_id = owner.id,
                                                     .size = SLICE("medium"),
                                                     .file_path = SLICE("medium.webp") };
    REQUIRE_OK(lum_thumbnail_create(owner.actor, &thumbnail, &made, &err), &err);
    repo_thumbnail_set_free(&made);
    char path[PATH_MAX];
    (void) snprintf(path, sizeof path, "%s/medium.webp", home.rows[0].path.ptr);
    REQUIRE_OK(file_write_atomic(env_default(), AT_FDCWD, path, SLICE("a picture"), 0600, &err),
               &err);
    ml_embedder *embedder = NULL;
    const ml_options options = { .api = ML_API_IMMICH, .url = server.url, .tries = 1 };
    REQUIRE_OK(ml_open(NULL, &options, &embedder, &err), &err);
    REQUIRE_OK(
        lum_embedding_fill(owner.actor, env_default(), embedder, LUM_MODEL_SEED, &counts, &err),
        &err);
    CHECK_INT(counts.embedded, 1);
    CHECK_INT(counts.without_picture, 1);
    CHECK(http_server_got(&server, "a picture"));
    REQUIRE_OK(lum_embedding_get(owner.actor, id, LUM_MODEL_SEED, v, &err), &err);
    CHECK(v[0] > 0.9f);
    REQUIRE_OK(
        lum_embedding_fill(owner.actor, env_default(), embedder, LUM_MODEL_SEED, &counts, &err),
        &err);
    CHECK_INT(counts.embedded, 0);
    const http_answer away[] = { { 503, "", HTTP_FINE } };
    http_server_say(&server, away, 1);
    REQUIRE_OK(lum_model_add(lib.library, "another", NULL, &err), &err);
    CHECK_STATUS(lum_embedding_fill(owner.actor, env_default(), embedder, "another", &counts, &err),
                 PGC_CONNECTION, &err);
    ml_close(embedder);
    repo_repository_set_free(&home);
    http_server_close(&server);
}

static void ends(void)
{
    test_library_remove(&lib);
    CHECK(lib.library == NULL);
}

static void begins(void)
{
    REQUIRE(CHECK(set_up()));
    CHECK_ASK("SELECT name || is_active FROM embedding_models", "clip-vit-basetrue");
}

TAP_MAIN(TAP("embedding: a new library knows the seed's model, which is active", begins),
         TAP("embedding: a vector comes back with length one", a_vector_comes_back_with_length_one),
         TAP("embedding: a second vector replaces the first", a_second_vector_replaces_the_first),
         TAP("embedding: the same vector touches nothing", the_same_vector_touches_nothing),
         TAP("embedding: other dimensions are refused clearly", other_dimensions_are_refused),
         TAP("embedding: NaN, infinities and zero vectors are refused",
             what_has_no_direction_is_refused),
         TAP("embedding: foreign and absent assets are not found",
             foreign_and_absent_assets_are_not_found),
         TAP("embedding: models have names of 1 to 50 bytes, and are known", models_have_names),
         TAP("embedding: users cannot add or switch models", users_cannot_change_models),
         TAP("embedding: a model is switched when it is complete",
             a_model_is_switched_when_it_is_complete),
         TAP("embedding: each model has a graph of its own, whatever its name",
             each_model_has_a_graph_of_its_own),
         TAP("embedding: missing vectors are filled in", missing_vectors_are_filled_in),
         TAP("embedding: pages of missing assets have bounds", pages_of_missing_assets_have_bounds),
         TAP("embedding: a seventeenth model is refused", a_seventeenth_model_is_refused),
         TAP("embedding: the library is removed", ends))
