/* lumilio album …: albums of the current user, and what others show. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "service/album.h"
#include "service/check.h"

/* Everything that a command of this family may be given. */
typedef struct album_call {
    int32_t album_id;
    const char *name, *description, *cover, *behind, *after, *filter;
    uint32_t limit, at, before;
    bool is_public, is_private, trash, yes;
    pgc_uuid *ids;
    size_t id_count;
} album_call;

static json_t *album_json(const repo_album *album)
{
    json_t *object = json_object();
    cli_json_int(object, "album_id", album->album_id);
    cli_json_text(object, "name", album->name);
    cli_json_text(object, "description", album->description);
    cli_json_bool(object, "is_public", album->is_public);
    cli_json_id(object, "cover_asset_id",
                album->cover_asset_id.has ? &album->cover_asset_id.v : NULL);
    cli_json_text(object, "filter", album->filter);
    if (album->found_at.has) {
        cli_json_time(object, "counted_at", album->found_at.v);
    }
    cli_json_time(object, "created_at", album->created_at);
    return object;
}

static void name_print(slice name, const char *end)
{
    cli_print_safe(stdout, name);
    (void) printf("%s", end);
}

/* One line about one album, or its JSON. */
static void album_print(const repo_album *album, const char *what)
{
    if (cli_common_options.json) {
        cli_print_json(album_json(album));
        return;
    }
    (void) printf("album %" PRId32 " ", album->album_id);
    name_print(album->name, album->is_public ? " (public)" : "");
    (void) printf(" %s\n", what);
}

/* One line about what was done to an album. */
static void done_print(int32_t album_id, const char *what)
{
    if (cli_common_options.json) {
        json_t *object = json_object();
        cli_json_int(object, "album_id", album_id);
        (void) json_object_set_new(object, "done", json_string(what));
        cli_print_json(object);
    } else {
        (void) printf("album %" PRId32 ": %s\n", album_id, what);
    }
}

static pgc_status create_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    const lum_album_new album = { .name = pgc_text_from(call->name),
                                  .description = pgc_text_from(call->description),
                                  .is_public = call->is_public,
                                  .filter = pgc_text_from(call->filter) };
    repo_album_set set = PGC_ZERO;
    TRY(lum_album_create(actor, &album, &set, err));
    album_print(&set.rows[0], "is there");
    repo_album_set_free(&set);
    return PGC_OK;
}

static void list_print(const repo_list_albums_row_set *set, const album_call *call)
{
    if (cli_common_options.json) {
        json_t *array = json_array();
        for (size_t i = 0; i < set->count; i++) {
            const repo_list_albums_row *row = &set->rows[i];
            json_t *object = album_json(&row->b);
            if (row->asset_count.has) {
                cli_json_int(object, "asset_count", row->asset_count.v);
            } else {
                (void) json_object_set_new(object, "asset_count", json_null());
            }
            cli_json_id(object, "shown_cover_id",
                        row->shown_cover_id.has ? &row->shown_cover_id.v : NULL);
            (void) json_array_append_new(array, object);
        }
        cli_print_json(array);
        return;
    }
    if (set->count == 0) {
        (void) printf(call->trash ? "no albums in the trash\n"
                                  : "no albums; `lumilio album create NAME` makes one\n");
        return;
    }
    bool smart = false;
    (void) printf("%-10s  %8s  %s\n", "ALBUM", "ASSETS", "NAME");
    for (size_t i = 0; i < set->count; i++) {
        const repo_list_albums_row *row = &set->rows[i];
        char count[24] = "?";
        if (row->asset_count.has) {
            (void) snprintf(count, sizeof count, "%s%" PRId64, row->b.found_at.has ? "~" : "",
                            row->asset_count.v);
        }
        (void) printf("%-10" PRId32 "  %8s  ", row->b.album_id, count);
        name_print(row->b.name, row->b.is_public ? " (public)\n" : "\n");
        smart = smart || row->b.filter.ptr != NULL;
    }
    if (smart) {
        (void) printf("(~: a smart album's count when it was last shown; ?: not counted yet)\n");
    }
    if (set->count == call->limit) {
        (void) printf("(%" PRIu32 " rows; go on with --before %" PRId32 ")\n", call->limit,
                      set->rows[set->count - 1].b.album_id);
    }
}

static lum_album_page page_of(const album_call *call)
{
    return (lum_album_page) { .before_album_id = cli_i32(call->before),
                              .limit = cli_i32(call->limit),
                              .trash = call->trash };
}

static pgc_status list_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    repo_list_albums_row_set set = PGC_ZERO;
    TRY(lum_album_list(actor, page_of(call), &set, err));
    list_print(&set, call);
    repo_list_albums_row_set_free(&set);
    return PGC_OK;
}

/* POSITION:ID, as the line below a page prints it. */
static pgc_status cursor_parse(const char *text, lum_album_cursor *out, pgc_error *err)
{
    slice word = pgc_text_from(text);
    size_t colon = slice_find(word, ':', 0);
    if (text == NULL) {
        return PGC_OK;
    }
    if (colon == SIZE_MAX || !slice_to_i64(slice_sub(word, 0, colon), &out->position) ||
        !pgc_uuid_parse(slice_sub(word, colon + 1, word.len), &out->asset_id)) {
        return pgc_error_set(err, PGC_INVALID, "--after %s: not what a page ended with", text);
    }
    out->set = true;
    return PGC_OK;
}

static void cursor_format(int64_t position, const pgc_uuid *id, char *out, size_t size)
{
    char text[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(id, text);
    (void) snprintf(out, size, "%" PRId64 ":%s", position, text);
}

/* Members as assets, and what the next page begins behind ("" at the end). */
static void members_print(const repo_album *album, const repo_list_album_assets_row_set *set,
                          const album_call *call)
{
    char next[64] = "";
    if (set->count == call->limit && set->count > 0) {
        const repo_list_album_assets_row *last = &set->rows[set->count - 1];
        cursor_format(last->position, &last->a.asset_id, next, sizeof next);
    }
    if (cli_common_options.json) {
        json_t *object = album_json(album);
        json_t *array = json_array();
        for (size_t i = 0; i < set->count; i++) {
            (void) json_array_append_new(array, asset_json(&set->rows[i].a));
        }
        (void) json_object_set_new(object, "assets", array);
        cli_json_text(object, "next", next[0] == '\0' ? (slice) { NULL, 0 } : pgc_text_from(next));
        cli_print_json(object);
        return;
    }
    album_print(album, set->count == 0 ? "is empty" : "holds:");
    for (size_t i = 0; i < set->count; i++) {
        asset_print_row(stdout, &set->rows[i].a);
    }
    if (next[0] != '\0') {
        (void) printf("(%" PRIu32 " rows; go on with --after %s)\n", call->limit, next);
    }
}

/* What the filter finds, the last taken first. */
static pgc_status smart_show(lum_actor actor, const repo_album *album, const album_call *call,
                             pgc_error *err)
{
    lum_asset_page page = PGC_ZERO;
    const lum_list list = { .sort = LUM_SORT_TAKEN,
                            .limit = cli_i32(call->limit),
                            .cursor = pgc_text_from(call->after),
                            .want_total = call->after == NULL };
    TRY(lum_album_list_smart(actor, album->album_id, &list, &page, err));
    if (cli_common_options.json) {
        json_t *object = album_json(album);
        json_t *array = json_array();
        for (size_t i = 0; i < page.assets.count; i++) {
            (void) json_array_append_new(array, asset_json(&page.assets.rows[i]));
        }
        (void) json_object_set_new(object, "assets", array);
        cli_json_text(object, "next",
                      page.next[0] == '\0' ? (slice) { NULL, 0 } : pgc_text_from(page.next));
        if (page.total >= 0) {
            cli_json_int(object, "asset_count", page.total);
        }
        cli_print_json(object);
    } else {
        album_print(album, page.assets.count == 0 ? "finds nothing" : "finds:");
        for (size_t i = 0; i < page.assets.count; i++) {
            asset_print_row(stdout, &page.assets.rows[i]);
        }
        if (page.next[0] != '\0') {
            (void) printf("(go on with --after %s)\n", page.next);
        }
    }
    lum_asset_page_free(&page);
    return PGC_OK;
}

static pgc_status show_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    lum_album_cursor after = { false };
    repo_album_set album = PGC_ZERO;
    repo_list_album_assets_row_set set = PGC_ZERO;
    TRY(lum_album_get(actor, call->album_id, &album, err));
    if (album.rows[0].filter.ptr != NULL) {
        pgc_status smart = smart_show(actor, &album.rows[0], call, err);
        repo_album_set_free(&album);
        return smart;
    }
    pgc_status status = cursor_parse(call->after, &after, err);
    if (status != PGC_OK) {
        repo_album_set_free(&album);
        return status;
    }
    status = lum_album_list_assets(actor, call->album_id, after, cli_i32(call->limit), &set, err);
    if (status == PGC_OK) {
        members_print(&album.rows[0], &set, call);
    }
    repo_list_album_assets_row_set_free(&set);
    repo_album_set_free(&album);
    return status;
}

static pgc_status update_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    repo_album_set set = PGC_ZERO;
    repo_update_album_params change = {
        .album_id = call->album_id,
        .name = pgc_text_from(call->name),
        .set_name = call->name != NULL,
        .description = pgc_text_from(call->description),
        .set_description = call->description != NULL,
        .is_public = { true, call->is_public },
        .set_is_public = call->is_public || call->is_private,
        .set_cover_asset_id = call->cover != NULL,
    };
    if (call->is_public && call->is_private) {
        return pgc_error_set(err, PGC_INVALID, "--public and --private exclude each other");
    }
    if (call->cover != NULL && strcmp(call->cover, "none") != 0) {
        change.cover_asset_id.has = cli_take_id(call->cover, &change.cover_asset_id.v);
        if (!change.cover_asset_id.has) {
            return pgc_error_set(err, PGC_INVALID, "--cover %s: the id of an asset, or none",
                                 call->cover);
        }
    }
    if (call->filter != NULL) {
        TRY(lum_album_set_filter(actor, call->album_id, pgc_text_from(call->filter), err));
    }
    TRY(lum_album_update(actor, &change, &set, err));
    album_print(&set.rows[0], "is changed");
    repo_album_set_free(&set);
    return PGC_OK;
}

static pgc_status delete_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    TRY(lum_album_delete(actor, call->album_id, err));
    done_print(call->album_id, "in the trash; `lumilio album restore` takes it back");
    return PGC_OK;
}

static pgc_status restore_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    TRY(lum_album_restore(actor, call->album_id, err));
    done_print(call->album_id, "back");
    return PGC_OK;
}

static pgc_status purge_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    char what[64];
    (void) snprintf(what, sizeof what, "purge album %" PRId32 " for good", call->album_id);
    TRY(cli_confirm(call->yes, what, err));
    TRY(lum_album_purge(actor, call->album_id, err));
    done_print(call->album_id, "gone for good; its photos stay");
    return PGC_OK;
}

/* --at counts from 1, as people do. */
static pgc_status place_take(const album_call *call, lum_place *out, pgc_error *err)
{
    *out = (lum_place) { .kind = LUM_PLACE_END };
    if (call->at > 0 && call->behind != NULL) {
        return pgc_error_set(err, PGC_INVALID, "--at and --behind exclude each other");
    }
    if (call->at > 0) {
        *out = (lum_place) { .kind = LUM_PLACE_INDEX, .index = (int64_t) call->at - 1 };
    }
    if (call->behind != NULL) {
        out->kind = LUM_PLACE_BEHIND;
        if (!cli_take_id(call->behind, &out->asset_id)) {
            return pgc_error_set(err, PGC_INVALID, "--behind %s: the id of an asset", call->behind);
        }
    }
    return PGC_OK;
}

static pgc_status add_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    lum_place place;
    int32_t added = 0;
    char text[64];
    TRY(place_take(call, &place, err));
    TRY(lum_album_add(actor, call->album_id, (lum_ids) { call->ids, call->id_count }, place, &added,
                      err));
    (void) snprintf(text, sizeof text, "%" PRId32 " added", added);
    done_print(call->album_id, text);
    return PGC_OK;
}

static pgc_status move_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    lum_place place;
    TRY(place_take(call, &place, err));
    TRY(lum_album_move(actor, call->album_id, (lum_ids) { call->ids, call->id_count }, place, err));
    done_print(call->album_id, "moved");
    return PGC_OK;
}

static pgc_status reorder_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    int32_t changed = 0;
    TRY(lum_album_reorder(actor, call->album_id, (lum_ids) { call->ids, call->id_count }, &changed,
                          err));
    done_print(call->album_id, changed == 0 ? "in this order already" : "reordered");
    return PGC_OK;
}

static pgc_status remove_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    TRY(lum_album_remove(actor, call->album_id, (lum_ids) { call->ids, call->id_count }, err));
    done_print(call->album_id, "removed");
    return PGC_OK;
}

static void public_list_print(const repo_list_public_albums_row_set *set)
{
    json_t *array = cli_common_options.json ? json_array() : NULL;
    for (size_t i = 0; i < set->count; i++) {
        const repo_list_public_albums_row *row = &set->rows[i];
        if (array == NULL) {
            (void) printf("%-10" PRId32 "  %8" PRId64 "  ", row->album_id, row->asset_count);
            name_print(row->name, " by ");
            name_print(row->owner_name, "\n");
            continue;
        }
        json_t *object = json_object();
        cli_json_int(object, "album_id", row->album_id);
        cli_json_text(object, "name", row->name);
        cli_json_text(object, "description", row->description);
        cli_json_text(object, "owner_name", row->owner_name);
        cli_json_bool(object, "is_own", row->is_own);
        cli_json_int(object, "asset_count", row->asset_count);
        cli_json_id(object, "cover_asset_id",
                    row->cover_asset_id.has ? &row->cover_asset_id.v : NULL);
        (void) json_array_append_new(array, object);
    }
    if (array != NULL) {
        cli_print_json(array);
    } else if (set->count == 0) {
        (void) printf("no public albums\n");
    }
}

static void public_assets_print(const repo_list_public_album_assets_row_set *set)
{
    json_t *array = cli_common_options.json ? json_array() : NULL;
    for (size_t i = 0; i < set->count; i++) {
        const repo_list_public_album_assets_row *row = &set->rows[i];
        char cursor[64];
        cursor_format(row->position, &row->asset_id, cursor, sizeof cursor);
        if (array == NULL) {
            (void) printf("%s  ", cursor);
            name_print(row->original_filename, "\n");
            continue;
        }
        json_t *object = json_object();
        cli_json_id(object, "asset_id", &row->asset_id);
        (void) json_object_set_new(object, "cursor", json_string(cursor));
        cli_json_text(object, "original_filename", row->original_filename);
        cli_json_text(object, "asset_type", row->asset_type);
        cli_json_text(object, "description", row->description);
        (void) json_array_append_new(array, object);
    }
    if (array != NULL) {
        cli_print_json(array);
    } else if (set->count == 0) {
        (void) printf("nothing to see: no such public album, or an empty one\n");
    }
}

/* Without an album: which there are; with one: what is in it. */
static pgc_status public_action(lum_actor actor, void *arg, pgc_error *err)
{
    const album_call *call = arg;
    if (call->album_id == 0) {
        repo_list_public_albums_row_set set = PGC_ZERO;
        TRY(lum_album_list_public(actor, page_of(call), &set, err));
        public_list_print(&set);
        repo_list_public_albums_row_set_free(&set);
        return PGC_OK;
    }
    lum_album_cursor after = { false };
    repo_list_public_album_assets_row_set set = PGC_ZERO;
    TRY(cursor_parse(call->after, &after, err));
    TRY(lum_album_list_public_assets(actor, call->album_id, after, cli_i32(call->limit), &set,
                                     err));
    public_assets_print(&set);
    repo_list_public_album_assets_row_set_free(&set);
    return PGC_OK;
}

static bool take_name(int argc, char **argv, void *arg)
{
    album_call *call = arg;
    call->name = argc == 1 ? argv[0] : NULL;
    return argc == 1;
}

static bool take_album(int argc, char **argv, void *arg)
{
    album_call *call = arg;
    return argc == 1 && cli_take_number(argv[0], &call->album_id);
}

static bool take_any(int argc, char **argv, void *arg)
{
    return argc == 0 || take_album(argc, argv, arg);
}

/* The album, then assets. */
static bool take_assets(int argc, char **argv, void *arg)
{
    album_call *call = arg;
    if (argc < 2 || argc > CHECK_IDS_MAX + 1 || !cli_take_number(argv[0], &call->album_id)) {
        return false;
    }
    call->id_count = (size_t) argc - 1;
    for (size_t i = 0; i < call->id_count; i++) {
        if (!cli_take_id(argv[i + 1], &call->ids[i])) {
            return false;
        }
    }
    return true;
}

#define ALBUM_HELP  "give the number of one album, as `lumilio album list` prints it"
#define ASSETS_HELP "give the number of an album and the ids of assets, at most 1000"

static const cli_family_command COMMANDS[] = {
    { "create", "dpf", take_name, "give one name", create_action },
    { "list", "tlb", cli_take_nothing, "takes no operands", list_action },
    { "show", "lA", take_album, ALBUM_HELP, show_action },
    { "update", "ndpPcf", take_album, ALBUM_HELP, update_action },
    { "delete", "", take_album, ALBUM_HELP, delete_action },
    { "restore", "", take_album, ALBUM_HELP, restore_action },
    { "purge", "y", take_album, ALBUM_HELP, purge_action },
    { "add", "aB", take_assets, ASSETS_HELP, add_action },
    { "move", "aB", take_assets, ASSETS_HELP, move_action },
    { "reorder", "", take_assets, ASSETS_HELP, reorder_action },
    { "remove", "", take_assets, ASSETS_HELP, remove_action },
    { "public", "lbA", take_any, "give the number of one album, or nothing", public_action },
};

int cmd_album(int argc, char **argv)
{
    static pgc_uuid ids[CHECK_IDS_MAX];
    album_call call = { .limit = 100, .ids = ids };
    const cli_family_option options[] = {
        { 'n', { "name", "NAME", "another name", &call.name, CLI_TEXT } },
        { 'd', { "description", "TEXT", "what it is about", &call.description, CLI_TEXT } },
        { 'p', { "public", NULL, "other users of this server see it", &call.is_public, CLI_FLAG } },
        { 'P', { "private", NULL, "only its owner sees it", &call.is_private, CLI_FLAG } },
        { 'c', { "cover", "ID", "the asset to show for it, or none", &call.cover, CLI_TEXT } },
        { 'f', { "filter", "JSON", "a smart album: what this finds", &call.filter, CLI_TEXT } },
        { 't', { "trash", NULL, "those in the trash", &call.trash, CLI_FLAG } },
        { 'l', { "limit", "N", "rows at the most, up to 1000", &call.limit, CLI_COUNT } },
        { 'b', { "before", "ALBUM", "go on behind this one", &call.before, CLI_COUNT } },
        { 'A', { "after", "CURSOR", "go on where a page ended", &call.after, CLI_TEXT } },
        { 'a', { "at", "N", "place, counted from 1", &call.at, CLI_COUNT } },
        { 'B', { "behind", "ID", "place right behind this asset", &call.behind, CLI_TEXT } },
        { 'y', { "yes", NULL, "do not ask", &call.yes, CLI_FLAG } },
    };
    const cli_family family = { "album", COMMANDS,           ARRAY_LEN(COMMANDS),
                                options, ARRAY_LEN(options), &call };
    return cli_family_run(&family, argc, argv);
}
