/* lumilio list, timeline: assets by filter, order and page, and how they spread over time. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "cli/filter_options.h"
#include "service/asset.h"
#include "service/timeline.h"

typedef struct list_call {
    cli_filter filter;
    const char *sort, *cursor;
    uint32_t limit;
    bool total, page;
} list_call;

/* An empty answer is no error: the text says what to do next. */
static pgc_status list_action(lum_actor actor, void *arg, pgc_error *err)
{
    const list_call *call = arg;
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    lum_asset_page page = { .total = -1 };
    lum_list list = { .limit = cli_i32(call->limit),
                      .want_total = call->total,
                      .cursor = pgc_text_from(call->cursor) };
    TRY(lum_sort_parse(pgc_text_from(call->sort), &list.sort, err));
    TRY(cli_filter_read(&call->filter, &doc, err));
    list.filter = lum_filter_doc_get(doc);
    TRY(lum_asset_filter(actor, &list, &page, err));
    asset_page_print(&page,
                     cli_filter_is_given(&call->filter)
                         ? "no assets"
                         : "no assets; `lumilio import FOLDER` adds some",
                     call->page || call->cursor != NULL || call->total);
    lum_asset_page_free(&page);
    return PGC_OK;
}

int cmd_list(int argc, char **argv)
{
    list_call call = { .sort = "uploaded", .limit = 100 };
    cli_option options[5 + CLI_FILTERS_MAX] = {
        { "sort", "ORDER", "taken, uploaded, name, size or rating; -name: the other way round",
          &call.sort, CLI_TEXT },
        { "limit", "N", "rows at the most, up to 1000", &call.limit, CLI_COUNT },
        { "cursor", "CURSOR", "the page behind the one that gave this cursor", &call.cursor,
          CLI_TEXT },
        { "total", NULL, "count all that is found", &call.total, CLI_FLAG },
        { "page", NULL, "with --json: an object that holds the cursor of the next page, too",
          &call.page, CLI_FLAG },
    };
    size_t count = cli_filter_options(&call.filter, options, 5);
    bool done = false;
    int code = cli_parse("list", options, count, &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc != 0) {
        return cli_usage("list", "takes no operands");
    }
    if (call.limit > LUM_PAGE_MAX) {
        return cli_usage("list", "--limit goes up to %d", LUM_PAGE_MAX);
    }
    return cli_act(list_action, &call);
}

typedef struct timeline_call {
    lum_when period;
    bool has_period;
    bool days, repair;
    const char *cursor;
    uint32_t limit;
} timeline_call;

/* "2024-05" or "2024-05-31" of days since 2000. */
static void date_format(pgc_date date, bool day, char out[static 16])
{
    time_t seconds = (time_t) (date.days * INT64_C(86400) + PGC_EPOCH_UNIX_SECONDS);
    struct tm parts;
    out[0] = '\0';
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void) strftime(out, 16, day ? "%Y-%m-%d" : "%Y-%m", &parts);
    }
}

/* One bucket into the array, or as a line. */
static void bucket_print(json_t *array, const char *label, const int64_t counts[static 3])
{
    if (!cli_common_options.json) {
        (void) printf("%-10s %8" PRId64 " photos %6" PRId64 " videos %6" PRId64 " recordings\n",
                      label, counts[0], counts[1], counts[2]);
        return;
    }
    json_t *object = json_object();
    cli_json_text(object, strlen(label) > 7 ? "day" : "month", pgc_text_from(label));
    cli_json_int(object, "photos", counts[0]);
    cli_json_int(object, "videos", counts[1]);
    cli_json_int(object, "recordings", counts[2]);
    (void) json_array_append_new(array, object);
}

static pgc_status months_print(lum_actor actor, json_t *array, pgc_error *err)
{
    char label[16];
    repo_list_timeline_months_row_set set = PGC_ZERO;
    TRY(lum_timeline_months(actor, &set, err));
    for (size_t i = 0; i < set.count; i++) {
        date_format(set.rows[i].month, false, label);
        bucket_print(
            array, label,
            (int64_t[]) { set.rows[i].photos, set.rows[i].videos, set.rows[i].recordings });
    }
    repo_list_timeline_months_row_set_free(&set);
    return PGC_OK;
}

static pgc_status days_print(lum_actor actor, const lum_when *period, json_t *array, pgc_error *err)
{
    char label[16];
    repo_list_timeline_days_row_set set = PGC_ZERO;
    TRY(lum_timeline_days(actor, period, &set, err));
    for (size_t i = 0; i < set.count; i++) {
        date_format(set.rows[i].day, true, label);
        bucket_print(
            array, label,
            (int64_t[]) { set.rows[i].photos, set.rows[i].videos, set.rows[i].recordings });
    }
    repo_list_timeline_days_row_set_free(&set);
    return PGC_OK;
}

static pgc_status repair_print(lum_actor actor, pgc_error *err)
{
    int32_t mended = 0;
    TRY(lum_timeline_repair(actor, &mended, err));
    (void) printf(cli_common_options.json ? "{\"mended_days\": %" PRId32 "}\n"
                                          : "%" PRId32 " days were counted wrong and are mended\n",
                  mended);
    return PGC_OK;
}

/* Months, the days of a period, or its assets. */
static pgc_status timeline_action(lum_actor actor, void *arg, pgc_error *err)
{
    const timeline_call *call = arg;
    if (call->repair) {
        return repair_print(actor, err);
    }
    if (call->has_period && !call->days) {
        lum_asset_page page = { .total = -1 };
        TRY(lum_timeline_page(actor, &call->period, cli_i32(call->limit),
                              pgc_text_from(call->cursor), &page, err));
        asset_page_print(&page, "no assets", true);
        lum_asset_page_free(&page);
        return PGC_OK;
    }
    json_t *array = cli_common_options.json ? json_array() : NULL;
    pgc_status status = call->has_period ? days_print(actor, &call->period, array, err)
                                         : months_print(actor, array, err);
    if (status == PGC_OK && array != NULL) {
        cli_print_json(array);
        return PGC_OK;
    }
    json_decref(array);
    return status;
}

int cmd_timeline(int argc, char **argv)
{
    timeline_call call = { .limit = 100 };
    const cli_option options[] = {
        { "days", NULL, "count the days of PERIOD instead of listing its assets", &call.days,
          CLI_FLAG },
        { "limit", "N", "assets at the most, up to 1000", &call.limit, CLI_COUNT },
        { "cursor", "CURSOR", "the page behind the one that gave this cursor", &call.cursor,
          CLI_TEXT },
        { "repair", NULL, "count all days again", &call.repair, CLI_FLAG },
    };
    bool done = false;
    int code = cli_parse("timeline", options, ARRAY_LEN(options), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 1 || (argc == 1 && (!lum_when_parse(pgc_text_from(argv[0]), &call.period) ||
                                   call.period.has_time))) {
        return cli_usage("timeline", "PERIOD is a year, a month or a day: 2024, 2024-05, "
                                     "2024-05-31");
    }
    call.has_period = argc == 1;
    if ((call.days || call.cursor != NULL) && !call.has_period) {
        return cli_usage("timeline", "--days and --cursor need a PERIOD");
    }
    return cli_act(timeline_action, &call);
}
