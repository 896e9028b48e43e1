/* lumilio duplicates: groups of assets that are nearly the same, and all but the best of each into
 * the trash when that is asked for. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "service/duplicate.h"

#define GROUPS_MOST 1000

typedef struct duplicates_call {
    const char *distance, *after;
    uint32_t limit; /* groups */
    bool similar, trash, yes;
    lum_duplicate_search search;
    json_t *groups; /* of --json */
    uint64_t group_count, trashed;
    pgc_uuid last; /* the leader of the last group shown */
} duplicates_call;

static json_t *group_json(const repo_find_duplicates_row_set *rows, size_t at, size_t count)
{
    json_t *group = json_object();
    json_t *assets = json_array();
    size_t best = lum_duplicate_best(rows, at, count);
    cli_json_id(group, "best", &rows->rows[best].a.asset_id);
    for (size_t i = at; i < at + count; i++) {
        json_t *asset = asset_json(&rows->rows[i].a);
        (void) json_object_set_new(asset, "distance", json_real(rows->rows[i].distance));
        cli_json_bool(asset, "sure", rows->rows[i].is_sure);
        (void) json_array_append_new(assets, asset);
    }
    (void) json_object_set_new(group, "assets", assets);
    return group;
}

static void group_print(const repo_find_duplicates_row_set *rows, size_t at, size_t count)
{
    size_t best = lum_duplicate_best(rows, at, count);
    for (size_t i = at; i < at + count; i++) {
        (void) printf("%s %.4f  ", i == best ? "best     " : "duplicate", rows->rows[i].distance);
        asset_print_row(stdout, &rows->rows[i].a);
    }
    (void) printf("\n");
}

/* Groups of one piece, up to the limit; *rows ends behind the last one shown. */
static void groups_print(duplicates_call *call, repo_find_duplicates_row_set *rows)
{
    size_t at = 0;
    while (at < rows->count && call->group_count < call->limit) {
        size_t count = lum_duplicate_group(rows, at);
        if (cli_common_options.json) {
            (void) json_array_append_new(call->groups, group_json(rows, at, count));
        } else {
            group_print(rows, at, count);
        }
        call->last = rows->rows[at].leader_id;
        call->group_count++;
        at += count;
    }
    rows->count = at;
}

/* Each piece is shown before it is asked for. */
static pgc_status piece_trash(lum_actor actor, duplicates_call *call,
                              const repo_find_duplicates_row_set *rows, pgc_error *err)
{
    repo_trash_duplicates_set gone = { .count = 0 };
    TRY(cli_confirm(call->yes, "move the duplicates above to the trash", err));
    TRY(lum_duplicate_trash(actor, rows, env_default(), &gone, err));
    call->trashed += gone.count;
    repo_trash_duplicates_set_free(&gone);
    return PGC_OK;
}

static pgc_status pieces_work(lum_actor actor, duplicates_call *call, bool *more, pgc_error *err)
{
    *more = true;
    while (*more && call->group_count < call->limit) {
        lum_duplicate_page page;
        TRY(lum_duplicate_find(actor, &call->search, &page, err));
        size_t found = page.rows.count;
        groups_print(call, &page.rows);
        bool cut = page.rows.count < found;
        pgc_status status =
            call->trash && page.rows.count > 0 ? piece_trash(actor, call, &page.rows, err) : PGC_OK;
        call->search.after = cut ? call->last : page.next;
        *more = cut || page.more;
        lum_duplicate_page_free(&page);
        TRY(status);
    }
    return PGC_OK;
}

static void end_print(const duplicates_call *call, bool more)
{
    char next[PGC_UUID_TEXT_SIZE] = "";
    pgc_uuid_format(&call->search.after, next);
    if (cli_common_options.json) {
        json_t *object = json_object();
        (void) json_object_set(object, "groups", call->groups);
        cli_json_int(object, "trashed", (int64_t) call->trashed);
        cli_json_text(object, "next", more ? pgc_text_from(next) : (slice) { NULL, 0 });
        cli_print_json(object);
        return;
    }
    if (call->group_count == 0) {
        (void) printf("no duplicates%s\n", call->similar ? "" : "; --similar shows look-alikes");
    }
    if (call->trash) {
        (void) printf("%" PRIu64 " moved to the trash; `lumilio restore ID` takes one back\n",
                      call->trashed);
    }
    if (more) {
        (void) printf("(%" PRIu64 " groups; go on with --after %s)\n", call->group_count, next);
    }
}

static pgc_status duplicates_action(lum_actor actor, void *arg, pgc_error *err)
{
    duplicates_call *call = arg;
    bool more = false;
    call->groups = json_array();
    pgc_status status = pieces_work(actor, call, &more, err);
    if (status == PGC_OK) {
        end_print(call, more);
    }
    json_decref(call->groups);
    return status;
}

/* What the words say; a wrong call is told here. */
static int call_check(duplicates_call *call, int argc)
{
    char *end = NULL;
    if (argc != 0) {
        return cli_usage("duplicates", "takes no operands");
    }
    if (call->trash && cli_common_options.json && !call->yes) {
        return cli_usage("duplicates", "--trash-others with --json needs --yes: nobody is asked");
    }
    if (call->limit > GROUPS_MOST) {
        return cli_usage("duplicates", "--limit goes up to %d", GROUPS_MOST);
    }
    if (call->after != NULL && !cli_take_id(call->after, &call->search.after)) {
        return cli_usage("duplicates", "--after takes what the page before ended with");
    }
    call->search.similar = call->similar;
    if (call->distance != NULL) {
        call->search.distance_most = strtod(call->distance, &end);
        if (end == call->distance || *end != '\0' || !(call->search.distance_most > 0) ||
            call->search.distance_most > LUM_DUPLICATE_DISTANCE_MOST) {
            return cli_usage("duplicates", "--distance takes a number above 0, up to %g",
                             LUM_DUPLICATE_DISTANCE_MOST);
        }
    }
    return CLI_OK;
}

int cmd_duplicates(int argc, char **argv)
{
    duplicates_call call = { .limit = 50 };
    const cli_option options[] = {
        { "distance", "D", "how far from the oldest of the group, up to 0.5 (default: 0.01)",
          &call.distance, CLI_TEXT },
        { "similar", NULL, "also what was taken at another moment, or in another shape",
          &call.similar, CLI_FLAG },
        { "trash-others", NULL, "move all but the best of each group to the trash", &call.trash,
          CLI_FLAG },
        { "yes", NULL, "do not ask", &call.yes, CLI_FLAG },
        { "limit", "N", "groups at the most, up to 1000 (default: 50)", &call.limit, CLI_COUNT },
        { "after", "ID", "go on behind a page before", &call.after, CLI_TEXT },
    };
    bool done = false;
    int code = cli_parse("duplicates", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code == CLI_OK && !done) {
        code = call_check(&call, argc);
    }
    return code != CLI_OK || done ? code : cli_act(duplicates_action, &call);
}
