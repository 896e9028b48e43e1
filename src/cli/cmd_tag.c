/* lumilio tag …: tags of the current user, named as they are written. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/commands.h"
#include "service/check.h"
#include "service/tag.h"

#define WORDS_MAX LUM_TAGS_MAX

/* Everything that a command of this family may be given. */
typedef struct tag_call {
    const char *name, *category, *part, *after, *into, *confidence, *source;
    uint32_t limit;
    bool dry_run, yes;
    char **names; /* further tags, borrowed from argv */
    size_t name_count;
    pgc_uuid *ids;
    size_t id_count;
} tag_call;

/* {"tag_id": 7, "name": "…", "assets": 3} or a line; `says` is a format for the count. */
static void count_print(int32_t tag_id, const char *name, int64_t count, const char *says)
{
    if (cli_common_options.json) {
        json_t *object = json_object();
        cli_json_int(object, "tag_id", tag_id);
        cli_json_text(object, "name", pgc_text_from(name));
        cli_json_int(object, "assets", count);
        cli_print_json(object);
        return;
    }
    (void) printf("tag \"");
    cli_print_safe(stdout, pgc_text_from(name));
    (void) printf("\": %s %" PRId64 "\n", says, count);
}

static pgc_status create_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    int32_t id = 0;
    repo_get_tag_row_set set = PGC_ZERO;
    TRY(lum_tag_create(actor, pgc_text_from(call->name), pgc_text_from(call->category), &id, err));
    TRY(lum_tag_get(actor, id, &set, err));
    count_print(id, call->name, set.rows[0].asset_count, "is there; assets:");
    repo_get_tag_row_set_free(&set);
    return PGC_OK;
}

static json_t *tag_json(const repo_list_tags_row *row)
{
    json_t *object = json_object();
    cli_json_int(object, "tag_id", row->tag_id);
    cli_json_text(object, "name", row->name);
    cli_json_text(object, "category", row->category);
    cli_json_bool(object, "shared", row->shared);
    cli_json_int(object, "asset_count", row->asset_count);
    return object;
}

static void list_print(const repo_list_tags_row_set *set, const tag_call *call)
{
    if (cli_common_options.json) {
        json_t *array = json_array();
        for (size_t i = 0; i < set->count; i++) {
            (void) json_array_append_new(array, tag_json(&set->rows[i]));
        }
        cli_print_json(array);
        return;
    }
    if (set->count == 0) {
        (void) printf("no tags\n");
        return;
    }
    (void) printf("%8s  %s\n", "ASSETS", "TAG");
    for (size_t i = 0; i < set->count; i++) {
        (void) printf("%8" PRId64 "  ", set->rows[i].asset_count);
        cli_print_safe(stdout, set->rows[i].name);
        (void) printf("%s\n", set->rows[i].shared ? " (from AI)" : "");
    }
    if (set->count == call->limit) {
        (void) printf("(%" PRIu32 " rows; go on with --after and the last name)\n", call->limit);
    }
}

/* A name is one tag, so the last name is enough to go on. */
static pgc_status list_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    repo_list_tags_row_set set = PGC_ZERO;
    const lum_tag_page page = { .after_name = pgc_text_from(call->after),
                                .after_tag_id = INT32_MAX,
                                .limit = cli_i32(call->limit),
                                .category = pgc_text_from(call->category),
                                .part = pgc_text_from(call->part) };
    TRY(lum_tag_list(actor, &page, &set, err));
    list_print(&set, call);
    repo_list_tags_row_set_free(&set);
    return PGC_OK;
}

static pgc_status rename_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    int32_t id = 0;
    repo_get_tag_row_set set = PGC_ZERO;
    TRY(lum_tag_find(actor, pgc_text_from(call->name), &id, err));
    TRY(lum_tag_rename(actor, id, pgc_text_from(call->names[0]), err));
    TRY(lum_tag_get(actor, id, &set, err));
    count_print(id, call->names[0], set.rows[0].asset_count, "is the name now; assets:");
    repo_get_tag_row_set_free(&set);
    return PGC_OK;
}

/* An empty --category takes it away. */
static pgc_status update_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    int32_t id = 0;
    repo_get_tag_row_set set = PGC_ZERO;
    if (call->category == NULL) {
        return pgc_error_set(err, PGC_INVALID, "update tag: --category says what to change");
    }
    pgc_text category =
        call->category[0] == '\0' ? (pgc_text) { NULL, 0 } : pgc_text_from(call->category);
    TRY(lum_tag_find(actor, pgc_text_from(call->name), &id, err));
    TRY(lum_tag_set_category(actor, id, category, err));
    TRY(lum_tag_get(actor, id, &set, err));
    count_print(id, call->name, set.rows[0].asset_count, "is changed; assets:");
    repo_get_tag_row_set_free(&set);
    return PGC_OK;
}

/* What it would touch, then the question. *go is false after a dry run. */
static pgc_status destroy_check(lum_actor actor, const tag_call *call, const int32_t *ids,
                                size_t count, const char *what, bool *go, pgc_error *err)
{
    int64_t assets = 0;
    char question[128];
    TRY(lum_tag_count_uses(actor, ids, count, &assets, err));
    *go = !call->dry_run;
    if (call->dry_run) {
        count_print(ids[0], call->name, assets, "nothing is changed; assets it is about:");
        return PGC_OK;
    }
    (void) snprintf(question, sizeof question, "%s, which %" PRId64 " assets have", what, assets);
    return cli_confirm(call->yes, question, err);
}

static pgc_status delete_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    int32_t id = 0;
    int64_t removed = 0;
    bool go = false;
    TRY(lum_tag_find(actor, pgc_text_from(call->name), &id, err));
    TRY(destroy_check(actor, call, &id, 1, "delete this tag for good", &go, err));
    if (go) {
        TRY(lum_tag_delete(actor, id, &removed, err));
        count_print(id, call->name, removed, "is gone; assets that had it:");
    }
    return PGC_OK;
}

/* All names are looked up before anything is asked or done. */
static pgc_status merge_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    int32_t ids[WORDS_MAX];
    size_t count = 0;
    int32_t target = 0;
    int64_t merged = 0;
    bool go = false;
    if (call->into == NULL) {
        return pgc_error_set(err, PGC_INVALID, "merge tags: --into TAG says into which");
    }
    TRY(lum_tag_find(actor, pgc_text_from(call->name), &ids[count++], err));
    for (size_t i = 0; i < call->name_count && count < WORDS_MAX; i++) {
        TRY(lum_tag_find(actor, pgc_text_from(call->names[i]), &ids[count++], err));
    }
    TRY(lum_tag_find(actor, pgc_text_from(call->into), &target, err));
    TRY(destroy_check(actor, call, ids, count, "merge these tags for good", &go, err));
    if (go) {
        TRY(lum_tag_merge(actor, ids, count, target, &merged, err));
        TRY(lum_tag_find(actor, pgc_text_from(call->into), &target, err)); /* now an own one */
        count_print(target, call->into, merged, "assets that have it instead:");
    }
    return PGC_OK;
}

/* Each asset by itself: what went well stays when a later one fails. */
static pgc_status add_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    lum_tag_gift gift = { pgc_text_from(call->name), 1 };
    lum_tag_gifts gifts = { .gifts = &gift, .count = 1, .source = LUM_TAG_USER };
    int32_t id = 0;
    int64_t count = 0;
    if (call->confidence != NULL &&
        !slice_to_f64(pgc_text_from(call->confidence), &gift.confidence)) {
        return pgc_error_set(err, PGC_INVALID, "--confidence %s: a number from 0 to 1",
                             call->confidence);
    }
    if (call->source != NULL) {
        TRY(lum_tag_source_parse(call->source, &gifts.source, err));
    }
    for (size_t i = 0; i < call->id_count; i++) {
        repo_tag_asset_row_set set = PGC_ZERO;
        TRY(lum_asset_add_tags(actor, call->ids[i], &gifts, &set, err));
        id = set.rows[0].given_id;
        count += set.rows[0].written ? 1 : 0;
        repo_tag_asset_row_set_free(&set);
    }
    count_print(id, call->name, count, "given; assets:");
    return PGC_OK;
}

static pgc_status remove_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    int32_t id = 0;
    TRY(lum_tag_find(actor, pgc_text_from(call->name), &id, err));
    for (size_t i = 0; i < call->id_count; i++) {
        TRY(lum_asset_remove_tag(actor, call->ids[i], id, err));
    }
    count_print(id, call->name, (int64_t) call->id_count, "taken away; assets:");
    return PGC_OK;
}

/* Rows come ordered by asset. */
static pgc_status of_action(lum_actor actor, void *arg, pgc_error *err)
{
    const tag_call *call = arg;
    repo_list_tags_of_assets_row_set set = PGC_ZERO;
    TRY(lum_tag_list_of_assets(actor, call->ids, call->id_count, &set, err));
    json_t *array = cli_common_options.json ? json_array() : NULL;
    for (size_t i = 0; i < set.count; i++) {
        const repo_list_tags_of_assets_row *row = &set.rows[i];
        if (array == NULL) {
            char id[PGC_UUID_TEXT_SIZE];
            pgc_uuid_format(&row->asset_id, id);
            (void) printf("%s  %-14" SLICE_FMT "  %.4g  ", id, SLICE_ARG(row->source),
                          row->confidence);
            cli_print_safe(stdout, row->name);
            (void) printf("\n");
            continue;
        }
        json_t *object = json_object();
        cli_json_id(object, "asset_id", &row->asset_id);
        cli_json_int(object, "tag_id", row->tag_id);
        cli_json_text(object, "name", row->name);
        cli_json_text(object, "source", row->source);
        (void) json_object_set_new(object, "confidence", json_real(row->confidence));
        (void) json_array_append_new(array, object);
    }
    if (array != NULL) {
        cli_print_json(array);
    } else if (set.count == 0) {
        (void) printf("no tags\n");
    }
    repo_list_tags_of_assets_row_set_free(&set);
    return PGC_OK;
}

static bool take_name(int argc, char **argv, void *arg)
{
    tag_call *call = arg;
    call->name = argc == 1 ? argv[0] : NULL;
    return argc == 1;
}

static bool take_names(int argc, char **argv, void *arg)
{
    tag_call *call = arg;
    if (argc < 1 || argc > WORDS_MAX) {
        return false;
    }
    call->name = argv[0];
    call->names = argv + 1;
    call->name_count = (size_t) argc - 1;
    return true;
}

static bool take_two_names(int argc, char **argv, void *arg)
{
    return argc == 2 && take_names(argc, argv, arg);
}

static bool take_ids(int argc, char **argv, void *arg)
{
    tag_call *call = arg;
    if (argc < 1 || argc > CHECK_IDS_MAX) {
        return false;
    }
    for (call->id_count = 0; call->id_count < (size_t) argc; call->id_count++) {
        if (!cli_take_id(argv[call->id_count], &call->ids[call->id_count])) {
            return false;
        }
    }
    return true;
}

static bool take_name_and_ids(int argc, char **argv, void *arg)
{
    tag_call *call = arg;
    call->name = argc > 0 ? argv[0] : NULL;
    return argc > 1 && take_ids(argc - 1, argv + 1, arg);
}

#define IDS_HELP "give a tag and the ids of assets, at most 1000"

static const cli_family_command COMMANDS[] = {
    { "create", "c", take_name, "give one name", create_action },
    { "list", "cpla", cli_take_nothing, "takes no operands", list_action },
    { "rename", "", take_two_names, "give a tag and its new name", rename_action },
    { "update", "c", take_name, "give one tag", update_action },
    { "merge", "idy", take_names, "give the tags that go, and --into", merge_action },
    { "delete", "dy", take_name, "give one tag", delete_action },
    { "add", "Cs", take_name_and_ids, IDS_HELP, add_action },
    { "remove", "", take_name_and_ids, IDS_HELP, remove_action },
    { "of", "", take_ids, "give the ids of assets, at most 1000", of_action },
};

int cmd_tag(int argc, char **argv)
{
    static pgc_uuid ids[CHECK_IDS_MAX];
    tag_call call = { .limit = 100, .ids = ids };
    const cli_family_option options[] = {
        { 'c', { "category", "NAME", "what kind of tag it is", &call.category, CLI_TEXT } },
        { 'p', { "part", "TEXT", "only names with this in them", &call.part, CLI_TEXT } },
        { 'l', { "limit", "N", "rows at the most, up to 1000", &call.limit, CLI_COUNT } },
        { 'a', { "after", "NAME", "go on behind this one", &call.after, CLI_TEXT } },
        { 'i', { "into", "TAG", "the tag that stays", &call.into, CLI_TEXT } },
        { 'd', { "dry-run", NULL, "only say what would change", &call.dry_run, CLI_FLAG } },
        { 'y', { "yes", NULL, "do not ask", &call.yes, CLI_FLAG } },
        { 'C', { "confidence", "N", "from 0 to 1 (default: 1)", &call.confidence, CLI_TEXT } },
        { 's',
          { "source", "WHO", "user (default), clip or smart_classify", &call.source, CLI_TEXT } },
    };
    const cli_family family = { "tag",   COMMANDS,           ARRAY_LEN(COMMANDS),
                                options, ARRAY_LEN(options), &call };
    return cli_family_run(&family, argc, argv);
}
