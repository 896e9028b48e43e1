/* lumilio trash: what was deleted, back again or gone for good. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "service/asset.h"
#include "service/trash.h"
#include "work/import.h"

#define DAY_US   (INT64_C(86400) * 1000000)
#define DAYS_MAX 36500

typedef struct trash_call {
    const char *cursor;
    uint32_t limit;
    uint32_t older_than, keep_files; /* days */
    bool yes;
    pgc_opt_uuid asset_id;
    lum_purged purged; /* the answer */
} trash_call;

static pgc_status list_action(lum_actor actor, void *arg, pgc_error *err)
{
    const trash_call *call = arg;
    lum_asset_page page = { .total = -1 };
    TRY(lum_trash_list(actor, cli_i32(call->limit), pgc_text_from(call->cursor), &page, err));
    asset_page_print(&page, "the trash is empty", true);
    lum_asset_page_free(&page);
    return PGC_OK;
}

int cmd_trash_list(int argc, char **argv)
{
    trash_call call = { .limit = 100 };
    const cli_option options[] = {
        { "limit", "N", "rows at the most, up to 1000", &call.limit, CLI_COUNT },
        { "cursor", "CURSOR", "the page behind the one that gave this cursor", &call.cursor,
          CLI_TEXT },
    };
    bool done = false;
    int code = cli_parse("trash list", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    return argc == 0 ? cli_act(list_action, &call) : cli_usage("trash list", "takes no operands");
}

static void purged_print(const lum_purged *purged)
{
    char bytes[16];
    cli_format_bytes(purged->bytes, bytes, sizeof bytes);
    if (cli_common_options.json) {
        (void) printf("{\"assets\": %" PRId64 ", \"files\": %" PRId64 ", \"bytes\": %" PRId64 "}\n",
                      purged->assets, purged->files, purged->bytes);
    } else {
        (void) printf("%" PRId64 " assets (%s) are gone for good\n", purged->assets, bytes);
    }
}

/* Rows first, then the files that nothing stands for any more; those that must stay longer, or that
 * an import at work keeps us from, go with a later import. */
static pgc_status purge_run(lum_library *library, lum_session *session, void *arg, pgc_error *err)
{
    trash_call *call = arg;
    char helper[PATH_MAX];
    import_recovery recovery;
    const lum_purge purge = { .age_us = call->older_than * DAY_US,
                              .keep_files_us = call->keep_files * DAY_US,
                              .asset_id = call->asset_id };
    TRY(lum_trash_purge(lum_session_actor(session), &purge, &call->purged, err));
    return call->purged.files > 0
               ? import_recover(library, session, cli_helper_path(helper), &recovery, err)
               : PGC_OK;
}

static int purge(const char *question, trash_call *call)
{
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status = cli_confirm(call->yes, question, &err);
    if (status == PGC_OK) {
        status = cli_with_library(purge_run, call, &err);
    }
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    purged_print(&call->purged);
    return CLI_OK;
}

int cmd_trash_empty(int argc, char **argv)
{
    trash_call call = { 0 };
    const cli_option options[] = {
        { "older-than", "DAYS", "only what was deleted so long ago", &call.older_than, CLI_COUNT },
        { "keep-files", "DAYS", "leave the files so much longer, for older backups of the database",
          &call.keep_files, CLI_COUNT },
        { "yes", NULL, "do not ask", &call.yes, CLI_FLAG },
    };
    bool done = false;
    int code = cli_parse("trash empty", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 1 || (argc == 1 && !cli_take_id(argv[0], &call.asset_id.v))) {
        return cli_usage("trash empty", "give no operand, or the id of one asset in the trash");
    }
    if (call.older_than > DAYS_MAX || call.keep_files > DAYS_MAX) {
        return cli_usage("trash empty", "days go up to %d", DAYS_MAX);
    }
    call.asset_id.has = argc == 1;
    return purge(argc == 1 ? "remove this asset and its files for good"
                           : "remove everything in the trash and its files for good",
                 &call);
}
