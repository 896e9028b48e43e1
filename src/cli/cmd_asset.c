/* lumilio show, delete, restore: assets of the current user. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "service/asset.h"

/* Row and thumbnails are two queries; in between the asset may go, then it has no thumbnails. */
static pgc_status show_action(lum_actor actor, void *arg, pgc_error *err)
{
    const pgc_uuid *asset_id = arg;
    repo_asset_set set = PGC_ZERO;
    repo_thumbnail_set thumbnails = PGC_ZERO;
    TRY(lum_asset_get(actor, *asset_id, &set, err));
    pgc_status status = lum_thumbnail_list(actor, *asset_id, &thumbnails, err);
    if (status == PGC_OK && cli_common_options.json) {
        json_t *object = asset_json(&set.rows[0]);
        json_t *array = json_array();
        for (size_t i = 0; i < thumbnails.count; i++) {
            const repo_thumbnail *row = &thumbnails.rows[i];
            (void) json_array_append_new(
                array,
                json_pack("{s:s#, s:s#, s:i, s:i}", "size", row->size.ptr, (int) row->size.len,
                          "file_path", row->file_path.ptr, (int) row->file_path.len, "width",
                          (int) row->width.v, "height", (int) row->height.v));
        }
        (void) json_object_set_new(object, "thumbnails", array);
        cli_print_json(object);
    } else if (status == PGC_OK) {
        asset_print(stdout, &set.rows[0]);
        for (size_t i = 0; i < thumbnails.count; i++) {
            const repo_thumbnail *row = &thumbnails.rows[i];
            (void) printf("%-13s %" SLICE_FMT " %" PRId32 "x%" PRId32 " %" SLICE_FMT "\n",
                          i == 0 ? "thumbnails" : "", SLICE_ARG(row->size), row->width.v,
                          row->height.v, SLICE_ARG(row->file_path));
        }
    }
    repo_thumbnail_set_free(&thumbnails);
    repo_asset_set_free(&set);
    return status;
}

/* One line about what was done. */
static void done_print(pgc_uuid asset_id, bool in_trash)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    if (cli_common_options.json) {
        (void) printf("{\"asset_id\": \"%s\", \"in_trash\": %s}\n", id,
                      in_trash ? "true" : "false");
    } else {
        (void) printf(in_trash ? "%s is in the trash\n" : "%s is back\n", id);
    }
}

static pgc_status delete_action(lum_actor actor, void *arg, pgc_error *err)
{
    const pgc_uuid *asset_id = arg;
    TRY(lum_asset_delete(actor, *asset_id, err));
    done_print(*asset_id, true);
    return PGC_OK;
}

static pgc_status restore_action(lum_actor actor, void *arg, pgc_error *err)
{
    const pgc_uuid *asset_id = arg;
    TRY(lum_asset_restore(actor, *asset_id, err));
    done_print(*asset_id, false);
    return PGC_OK;
}

/* A command with one asset id as its operand. */
static int with_asset_id(const char *name, cli_action action, int argc, char **argv)
{
    bool done = false;
    int code = cli_parse(name, NULL, 0, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    pgc_uuid asset_id;
    if (argc != 1 || !pgc_uuid_parse(pgc_text_from(argv[0]), &asset_id)) {
        return cli_usage(name, "give the id of one asset, as `lumilio list` prints it");
    }
    return cli_act(action, &asset_id);
}

int cmd_show(int argc, char **argv)
{
    return with_asset_id("show", show_action, argc, argv);
}

int cmd_delete(int argc, char **argv)
{
    return with_asset_id("delete", delete_action, argc, argv);
}

int cmd_restore(int argc, char **argv)
{
    return with_asset_id("restore", restore_action, argc, argv);
}
