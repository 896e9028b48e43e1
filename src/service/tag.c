/* Tags: checks what the database cannot say clearly, then one typed query. Which tag a name means,
 * who may make shared ones, and who goes before whom, is decided by functions of the database
 * (016_tags.sql). No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/tag.h"

#include "service/check.h"

static const char *const SOURCES[] = {
    [LUM_TAG_USER] = "user",
    [LUM_TAG_CLIP] = "clip",
    [LUM_TAG_SMART_CLASSIFY] = "smart_classify",
};

pgc_status lum_tag_source_parse(const char *text, lum_tag_source *out, pgc_error *err)
{
    static const check_words WORDS = { "tag source", SOURCES, ARRAY_LEN(SOURCES) };
    size_t index = 0;
    TRY(check_word(&WORDS, pgc_text_from(text), &index, err));
    *out = (lum_tag_source) index;
    return PGC_OK;
}

/* The words of the table's CHECK. */
static pgc_status source_text(lum_tag_source source, pgc_text *out, pgc_error *err)
{
    if ((size_t) source >= ARRAY_LEN(SOURCES)) {
        return pgc_error_set(err, PGC_INVALID, "tag source %d: there is none", (int) source);
    }
    *out = pgc_text_from(SOURCES[source]);
    return PGC_OK;
}

/* "rename tag 7: …"; no row is said the same way everywhere. */
static pgc_status about_tag(pgc_status status, int32_t tag_id, const char *what, pgc_error *err)
{
    if (status == PGC_NOT_FOUND && (err == NULL || err->sqlstate[0] == '\0')) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such tag");
    }
    return pgc_error_wrap(err, status, "%s tag %" PRId32, what, tag_id);
}

static pgc_status name_check(slice name, pgc_error *err)
{
    return check_name("tag name", name, LUM_TAG_NAME_MAX, err);
}

/* Absent is none; empty would be a second kind of none. */
static pgc_status category_check(slice category, pgc_error *err)
{
    return category.ptr == NULL ? PGC_OK
                                : check_name("tag category", category, LUM_TAG_CATEGORY_MAX, err);
}

pgc_status lum_tag_create(lum_actor actor, pgc_text name, pgc_text category, int32_t *tag_id,
                          pgc_error *err)
{
    TRY(name_check(name, err));
    TRY(category_check(category, err));
    const repo_create_tag_params params = { .name = name, .category = category };
    return pgc_error_wrap(err, repo_create_tag(actor.db, &params, tag_id, err),
                          "create tag \"%" SLICE_FMT "\"", SLICE_ARG(name));
}

pgc_status lum_tag_get(lum_actor actor, int32_t tag_id, repo_get_tag_row_set *out, pgc_error *err)
{
    const repo_get_tag_params params = { .owner_id = actor.user_id, .tag_id = tag_id };
    return about_tag(repo_get_tag(actor.db, &params, out, err), tag_id, "get", err);
}

pgc_status lum_tag_find(lum_actor actor, pgc_text name, int32_t *tag_id, pgc_error *err)
{
    TRY(name_check(name, err));
    pgc_status status = repo_find_tag(actor.db, name, tag_id, err);
    if (status == PGC_NOT_FOUND) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such tag");
    }
    return pgc_error_wrap(err, status, "find tag \"%" SLICE_FMT "\"", SLICE_ARG(name));
}

pgc_status lum_tag_list(lum_actor actor, const lum_tag_page *page, repo_list_tags_row_set *out,
                        pgc_error *err)
{
    TRY(check_limit("list tags", page->limit, err));
    TRY(check_text("list tags: name", page->after_name, 4 * LUM_TAG_NAME_MAX, err));
    TRY(check_text("list tags: category", page->category, 4 * LUM_TAG_CATEGORY_MAX, err));
    TRY(check_text("list tags: part of a name", page->part, 4 * LUM_TAG_NAME_MAX, err));
    const repo_list_tags_params params = {
        .after_name = page->after_name.ptr == NULL ? SLICE("") : page->after_name,
        .after_tag_id = page->after_name.ptr == NULL ? INT32_MIN : page->after_tag_id,
        .category = page->category,
        .part = page->part,
        .row_limit = page->limit,
    };
    return pgc_error_wrap(err, repo_list_tags(actor.db, &params, out, err), "list tags");
}

pgc_status lum_tag_list_of_assets(lum_actor actor, const pgc_uuid *asset_ids, size_t count,
                                  repo_list_tags_of_assets_row_set *out, pgc_error *err)
{
    TRY(check_count("list tags: assets", count, CHECK_IDS_MAX, err));
    const pgc_arr_uuid ids = { .has = true, .count = count, .v = asset_ids };
    return pgc_error_wrap(err, repo_list_tags_of_assets(actor.db, ids, out, err),
                          "list tags of %zu assets", count);
}

pgc_status lum_tag_rename(lum_actor actor, int32_t tag_id, pgc_text name, pgc_error *err)
{
    TRY(name_check(name, err));
    const repo_rename_tag_params params = { .tag_id = tag_id, .name = name };
    pgc_status status = repo_rename_tag(actor.db, &params, err);
    if (status == PGC_CONFLICT && err != NULL && !err->retry) {
        status = pgc_error_set(err, PGC_CONFLICT, "there is a tag \"%" SLICE_FMT "\" already",
                               SLICE_ARG(name));
        pgc_error_hint(err, "merge the two");
    }
    return about_tag(status, tag_id, "rename", err);
}

pgc_status lum_tag_set_category(lum_actor actor, int32_t tag_id, pgc_text category, pgc_error *err)
{
    TRY(category_check(category, err));
    int64_t affected = 0;
    const repo_update_tag_params params = { .category = category,
                                            .tag_id = tag_id,
                                            .owner_id = actor.user_id };
    pgc_status status = repo_update_tag(actor.db, &params, &affected, err);
    if (status == PGC_OK && affected == 0) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such tag of your own");
        return pgc_error_wrap(err, status, "update tag %" PRId32, tag_id);
    }
    return about_tag(status, tag_id, "update", err);
}

pgc_status lum_tag_merge(lum_actor actor, const int32_t *source_ids, size_t count,
                         int32_t target_id, int64_t *merged, pgc_error *err)
{
    TRY(check_count("merge tags: sources", count, LUM_TAGS_MAX, err));
    const repo_merge_tags_params params = {
        .source_tag_ids = { .has = true, .count = count, .v = source_ids },
        .target_tag_id = target_id,
    };
    return about_tag(repo_merge_tags(actor.db, &params, merged, err), target_id, "merge into", err);
}

pgc_status lum_tag_delete(lum_actor actor, int32_t tag_id, int64_t *removed, pgc_error *err)
{
    return about_tag(repo_delete_tag(actor.db, tag_id, removed, err), tag_id, "delete", err);
}

pgc_status lum_tag_count_uses(lum_actor actor, const int32_t *tag_ids, size_t count,
                              int64_t *assets, pgc_error *err)
{
    TRY(check_count("count uses: tags", count, LUM_TAGS_MAX, err));
    const pgc_arr_i32 ids = { .has = true, .count = count, .v = tag_ids };
    repo_count_tag_uses_row_set set = PGC_ZERO;
    pgc_status status = repo_count_tag_uses(actor.db, ids, &set, err);
    if (status == PGC_OK && set.rows[0].tag_count < (int64_t) count) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "a tag is missing, or named twice");
    }
    if (status == PGC_OK) {
        *assets = set.rows[0].asset_count;
    }
    repo_count_tag_uses_row_set_free(&set);
    return pgc_error_wrap(err, status, "count uses of %zu tags", count);
}

/* "tag asset ID: …" */
static pgc_status about_asset(pgc_status status, pgc_uuid asset_id, const char *what,
                              pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    return pgc_error_wrap(err, status, "%s asset %s", what, id);
}

pgc_status lum_asset_add_tag(lum_actor actor, pgc_uuid asset_id, int32_t tag_id, double confidence,
                             lum_tag_source source, bool *written, pgc_error *err)
{
    repo_tag_asset_by_id_params params = { .asset_id = asset_id,
                                           .confidence = confidence,
                                           .tag_id = tag_id };
    TRY(check_confidence("confidence", confidence, err));
    TRY(source_text(source, &params.source, err));
    repo_tag_asset_by_id_row_set set = PGC_ZERO;
    pgc_status status = repo_tag_asset_by_id(actor.db, &params, &set, err);
    if (status == PGC_NOT_FOUND && (err == NULL || err->sqlstate[0] == '\0')) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no tag %" PRId32, tag_id);
    }
    if (status == PGC_OK && written != NULL) {
        *written = set.rows[0].written;
    }
    repo_tag_asset_by_id_row_set_free(&set);
    return about_asset(status, asset_id, "tag", err);
}

/* Each name once: which of two confidences holds would be anybody's guess. */
static pgc_status gifts_check(const lum_tag_gifts *gifts, pgc_error *err)
{
    TRY(check_count("tags", gifts->count, LUM_TAGS_MAX, err));
    for (size_t i = 0; i < gifts->count; i++) {
        TRY(name_check(gifts->gifts[i].name, err));
        TRY(check_confidence("confidence", gifts->gifts[i].confidence, err));
        for (size_t k = 0; k < i; k++) {
            if (slice_eq(gifts->gifts[k].name, gifts->gifts[i].name)) {
                return pgc_error_set(err, PGC_INVALID, "tag \"%" SLICE_FMT "\" is given twice",
                                     SLICE_ARG(gifts->gifts[i].name));
            }
        }
    }
    return PGC_OK;
}

pgc_status lum_asset_add_tags(lum_actor actor, pgc_uuid asset_id, const lum_tag_gifts *gifts,
                              repo_tag_asset_row_set *out, pgc_error *err)
{
    pgc_text names[LUM_TAGS_MAX];
    double confidences[LUM_TAGS_MAX];
    repo_tag_asset_params params = { .asset_id = asset_id, .only_these = gifts->only_these };
    TRY(gifts_check(gifts, err));
    TRY(source_text(gifts->source, &params.source, err));
    for (size_t i = 0; i < gifts->count; i++) {
        names[i] = gifts->gifts[i].name;
        confidences[i] = gifts->gifts[i].confidence;
    }
    params.names = (pgc_arr_text) { .has = true, .count = gifts->count, .v = names };
    params.confidences = (pgc_arr_f64) { .has = true, .count = gifts->count, .v = confidences };
    return about_asset(repo_tag_asset(actor.db, &params, out, err), asset_id, "tag", err);
}

pgc_status lum_asset_remove_tag(lum_actor actor, pgc_uuid asset_id, int32_t tag_id, pgc_error *err)
{
    bool removed = false;
    const repo_untag_asset_params params = { .asset_id = asset_id, .tag_id = tag_id };
    pgc_status status = repo_untag_asset(actor.db, &params, &removed, err);
    if (status == PGC_OK && !removed) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "it has no tag %" PRId32, tag_id);
    }
    return about_asset(status, asset_id, "untag", err);
}

/* Inside the transaction; the set is the caller's also when the tags fail. */
static pgc_status create_and_tag(lum_actor actor, const repo_create_asset_params *asset,
                                 const lum_tag_gifts *gifts, repo_asset_set *set, bool *duplicate,
                                 pgc_error *err)
{
    repo_tag_asset_row_set given = PGC_ZERO;
    TRY(lum_asset_create(actor, asset, set, duplicate, err));
    TRY(lum_asset_add_tags(actor, set->rows[0].asset_id, gifts, &given, err));
    repo_tag_asset_row_set_free(&given);
    return PGC_OK;
}

/* The tags are checked before anything is sent. */
pgc_status lum_asset_create_with_tags(lum_session *session, const repo_create_asset_params *asset,
                                      const lum_tag_gifts *gifts, repo_asset_set *out,
                                      bool *duplicate, pgc_error *err)
{
    pgc_tx *tx = NULL;
    bool found = false;
    repo_asset_set set = PGC_ZERO;
    TRY(gifts_check(gifts, err));
    TRY(lum_session_begin(session, &tx, err));
    pgc_status status =
        create_and_tag(lum_session_tx_actor(session, tx), asset, gifts, &set, &found, err);
    if (status == PGC_OK) {
        status = pgc_tx_commit(&tx, err);
    }
    pgc_tx_rollback(tx);
    if (status != PGC_OK) {
        repo_asset_set_free(&set);
        return pgc_error_wrap(err, status, "create asset with tags");
    }
    *out = set;
    *duplicate = found;
    return PGC_OK;
}
