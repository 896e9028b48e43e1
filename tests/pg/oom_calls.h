/* Calls of the services that need a state of their own to work, beside those of good_input.h; and
 * how one attempt with a failing allocation is judged. */
#ifndef TEST_OOM_CALLS_H
#define TEST_OOM_CALLS_H

#include "good_input.h"
#include "heap.h"
#include "service/embedding_fill.h"

/* `first` makes the state, as superuser; NULL: what all share. */
typedef struct oom_call {
    const char *function, *first;
    bad_call call;
} oom_call;

static pgc_status oom_embed(ml_embedder *e, const char *model, const ml_input *inputs, size_t count,
                            float (*out)[ML_DIM], pgc_error *err)
{
    (void) e, (void) model, (void) inputs, (void) err;
    for (size_t i = 0; i < count; i++) {
        memcpy(out[i], bad_unit, sizeof out[i]);
    }
    return PGC_OK;
}

static const ml_ops OOM_OPS = { .embed = oom_embed };

static pgc_status oom_fill(const bad_value *value, pgc_error *err)
{
    ml_embedder embedder = { &OOM_OPS, 4 };
    lum_fill_counts counts = { 0 };
    (void) value;
    pgc_status status =
        lum_embedding_fill(bad.ann, env_default(), &embedder, LUM_MODEL_SEED, &counts, err);
    return status == PGC_OK && counts.embedded != 1
               ? pgc_error_set(err, PGC_LIMIT, "%d embedded", (int) counts.embedded)
               : status;
}

static pgc_status oom_picture(const bad_value *value, pgc_error *err)
{
    AUTO(buf_auto) buf bytes;
    (void) value;
    buf_init(&bytes, NULL, ML_IMAGE_MAX);
    return lum_embedding_picture(bad.ann, env_default(), bad.own_asset, &bytes, err);
}

static pgc_status oom_digest(const bad_value *value, pgc_error *err)
{
    uint8_t digest[SHA256_SIZE];
    (void) value;
    return lum_filter_digest(&(lum_filter) { .words = SLICE("beach") }, digest, err);
}

static pgc_status oom_auth_open(const bad_value *value, pgc_error *err)
{
    const lum_auth_options options = { .pool = bad_auth.pool,
                                       .key_file = bad_auth.key_file,
                                       .cost = 4 };
    lum_auth *auth = NULL;
    (void) value;
    pgc_status status = lum_auth_open(&options, &auth, err);
    lum_auth_close(auth);
    return status;
}

static pgc_status oom_home(const bad_value *value, pgc_error *err)
{
    char out[PATH_MAX];
    (void) value;
    TRY(lum_home_resolve(bad_auth.folder.path, out, sizeof out, err));
    return lum_cluster_dir(bad_auth.folder.path, out, sizeof out, err);
}

static const int32_t OOM_OTHER_TAG = 777;
static const pgc_uuid OOM_REPOSITORY = { "0123456789abcde" };
static lum_recounted oom_recounted;

BAD_SET(oom_content, repo_asset_set, lum_asset_get_by_content(bad.ann, SLICE("h"), 1, &out, err))
BAD_PLAIN(oom_asset_restore, lum_asset_restore(bad.ann, bad.own_asset, err))
BAD_PLAIN(oom_album_restore, lum_album_restore(bad.ann, bad.own_album, err))
BAD_PLAIN(oom_album_purge, lum_album_purge(bad.ann, bad.own_album, err))
BAD_PLAIN(oom_tag_find, lum_tag_find(bad.ann, SLICE("own"), &bad_int, err))
BAD_PLAIN(oom_tag_merge, lum_tag_merge(bad.ann, &OOM_OTHER_TAG, 1, bad.own_tag, &bad_long, err))
BAD_PLAIN(oom_repository_delete, lum_repository_delete(bad.ann, OOM_REPOSITORY, err))
BAD_PLAIN(oom_user_ensure, lum_user_ensure(bad.pool, "zoe", &bad_int, err))
BAD_PLAIN(oom_rotate, lum_auth_rotate_key(bad_auth.auth, err))
BAD_PLAIN(oom_recount, lum_stats_recount(bad.ann, &oom_recounted, err))
BAD_PLAIN(oom_purge, lum_trash_purge(bad.ann, &(lum_purge) { .asset_id = { true, bad.own_asset } },
                                     &bad_purged, err))
BAD_SET(oom_default, repo_repository_set,
        lum_repository_ensure_default(bad.ann, env_default(), bad_auth.folder.path, &out, err))

#define OOM_TRASHED "UPDATE assets SET deleted_at = now() WHERE owner_id = 1"
#define OOM_BINNED  "UPDATE albums SET deleted_at = now() WHERE owner_id = 1"
#define OOM_NO_REPOSITORY                                                                  \
    "UPDATE assets SET repository_id = NULL WHERE owner_id = 1; DELETE FROM file_records " \
    "WHERE owner_id = 1; DELETE FROM sync_operations WHERE owner_id = 1; DELETE FROM "     \
    "import_intents WHERE owner_id = 1; DELETE FROM file_deletions WHERE owner_id = 1; "   \
    "DELETE FROM repositories WHERE owner_id = 1"

static const oom_call OOM_CALLS[] = {
    { "lum_embedding_fill", "DELETE FROM embeddings WHERE owner_id = 1", oom_fill },
    { "lum_embedding_picture", NULL, oom_picture },
    { "lum_filter_digest", NULL, oom_digest },
    { "lum_auth_open", NULL, oom_auth_open },
    { "lum_auth_rotate_key", NULL, oom_rotate },
    { "lum_home_resolve", NULL, oom_home },
    { "lum_cluster_dir", NULL, oom_home },
    { "lum_asset_get_by_content", NULL, oom_content },
    { "lum_asset_restore", OOM_TRASHED, oom_asset_restore },
    { "lum_trash_purge", OOM_TRASHED, oom_purge },
    { "lum_album_restore", OOM_BINNED, oom_album_restore },
    { "lum_album_purge", OOM_BINNED, oom_album_purge },
    { "lum_tag_find", NULL, oom_tag_find },
    { "lum_tag_merge", "INSERT INTO tags (tag_id, name, owner_id) VALUES (777, 'other', 1)",
      oom_tag_merge },
    { "lum_repository_delete",
      "INSERT INTO repositories (repo_id, name, path, owner_id) VALUES "
      "('30313233-3435-3637-3839-616263646500', 'empty', '/empty', 1)",
      oom_repository_delete },
    { "lum_repository_ensure_default", OOM_NO_REPOSITORY, oom_default },
    { "lum_user_ensure", NULL, oom_user_ensure },
    { "lum_stats_recount", NULL, oom_recount },
};

/* What is asked of the server between two attempts: whether anything was written, and how many
 * transactions are left open. */
static inline void oom_look(char written[static GOOD_PLACE_SIZE])
{
    char state[6];
    char open[8];
    good_written(written);
    schema_ask(bad.owner,
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state "
               "LIKE 'idle in%'",
               open, sizeof open, state);
    CHECK_STR(state, "");
    CHECK_STR(open, "0");
}

static inline uint32_t oom_lent(pgc_pool *pool)
{
    pgc_pool_stats stats;
    pgc_pool_get_stats(pool, &stats);
    return stats.acquired;
}

#endif
