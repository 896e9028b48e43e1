/* lumilio stats … and species …: what the library holds. */
#include "cli/prelude.h"

#include "cli/action.h"
#include "cli/asset_view.h"
#include "cli/commands.h"
#include "service/species.h"
#include "service/statistics.h"

/* Everything that a command of these families may be given. */
typedef struct stats_call {
    const char *name, *least, *after;
    uint32_t limit;
    pgc_uuid id;
} stats_call;

/* A list that is JSON or lines, whichever was asked for. */
typedef struct listing {
    json_t *array; /* NULL: lines */
    size_t count;
} listing;

static listing listing_begin(void)
{
    return (listing) { cli_common_options.json ? json_array() : NULL, 0 };
}

static void listing_end(listing *list)
{
    if (list->array != NULL) {
        cli_print_json(list->array);
    } else if (list->count == 0) {
        (void) printf("nothing to count\n");
    }
}

/* One counted name: {"<key>": name, "asset_count": n}, or a line. */
static void listing_add(listing *list, const char *key, slice name, int64_t count)
{
    list->count++;
    if (list->array == NULL) {
        (void) printf("%10" PRId64 "  ", count);
        cli_print_safe(stdout, name.ptr == NULL ? SLICE("(unknown)") : name);
        (void) printf("\n");
        return;
    }
    json_t *object = json_object();
    cli_json_text(object, key, name);
    cli_json_int(object, "asset_count", count);
    (void) json_array_append_new(list->array, object);
}

static pgc_status totals_action(lum_actor actor, void *arg, pgc_error *err)
{
    (void) arg;
    repo_get_totals_row_set set = PGC_ZERO;
    TRY(lum_stats_totals(actor, &set, err));
    const repo_get_totals_row *row = &set.rows[0];
    const struct {
        const char *name;
        int64_t value;
        bool bytes;
    } FIELDS[] = {
        { "photos", row->photos, false },
        { "videos", row->videos, false },
        { "recordings", row->recordings, false },
        { "bytes", row->bytes, true },
        { "trashed", row->trashed, false },
        { "trashed_bytes", row->trashed_bytes, true },
        { "albums", row->albums, false },
        { "tags", row->tags, false },
        { "repositories", row->repositories, false },
    };
    json_t *object = cli_common_options.json ? json_object() : NULL;
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
        char size[16];
        cli_format_bytes(FIELDS[i].value, size, sizeof size);
        if (object != NULL) {
            cli_json_int(object, FIELDS[i].name, FIELDS[i].value);
        } else if (FIELDS[i].bytes) {
            (void) printf("%-14s %s\n", FIELDS[i].name, size);
        } else {
            (void) printf("%-14s %" PRId64 "\n", FIELDS[i].name, FIELDS[i].value);
        }
    }
    if (object != NULL) {
        cli_print_json(object);
    }
    repo_get_totals_row_set_free(&set);
    return PGC_OK;
}

static pgc_status cameras_action(lum_actor actor, void *arg, pgc_error *err)
{
    const stats_call *call = arg;
    listing list;
    repo_count_by_camera_row_set set = PGC_ZERO;
    TRY(lum_stats_cameras(actor, cli_i32(call->limit), &set, err));
    list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        char name[512];
        slice make = set.rows[i].camera_make;
        slice model = set.rows[i].camera_model;
        bool both = make.ptr != NULL && model.ptr != NULL;
        (void) snprintf(name, sizeof name, "%" SLICE_FMT "%s%" SLICE_FMT, SLICE_ARG(make),
                        both ? " " : "", SLICE_ARG(model));
        listing_add(&list, "camera",
                    make.ptr == NULL && model.ptr == NULL ? (slice) { NULL, 0 }
                                                          : pgc_text_from(name),
                    set.rows[i].asset_count);
    }
    listing_end(&list);
    repo_count_by_camera_row_set_free(&set);
    return PGC_OK;
}

static pgc_status lenses_action(lum_actor actor, void *arg, pgc_error *err)
{
    const stats_call *call = arg;
    repo_count_by_lens_row_set set = PGC_ZERO;
    TRY(lum_stats_lenses(actor, cli_i32(call->limit), &set, err));
    listing list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        listing_add(&list, "lens", set.rows[i].lens_model, set.rows[i].asset_count);
    }
    listing_end(&list);
    repo_count_by_lens_row_set_free(&set);
    return PGC_OK;
}

static pgc_status years_action(lum_actor actor, void *arg, pgc_error *err)
{
    (void) arg;
    repo_count_by_year_row_set set = PGC_ZERO;
    TRY(lum_stats_years(actor, &set, err));
    listing list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        char year[16];
        const repo_count_by_year_row *row = &set.rows[i];
        (void) snprintf(year, sizeof year, "%" PRId32, row->year);
        listing_add(&list, "year", pgc_text_from(year),
                    row->photos + row->videos + row->recordings);
    }
    listing_end(&list);
    repo_count_by_year_row_set_free(&set);
    return PGC_OK;
}

static pgc_status tags_action(lum_actor actor, void *arg, pgc_error *err)
{
    const stats_call *call = arg;
    repo_count_by_tag_row_set set = PGC_ZERO;
    TRY(lum_stats_tags(actor, cli_i32(call->limit), &set, err));
    listing list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        listing_add(&list, "tag", set.rows[i].name, set.rows[i].asset_count);
    }
    listing_end(&list);
    repo_count_by_tag_row_set_free(&set);
    return PGC_OK;
}

static pgc_status storage_action(lum_actor actor, void *arg, pgc_error *err)
{
    (void) arg;
    repo_count_by_repository_row_set set = PGC_ZERO;
    TRY(lum_stats_storage(actor, &set, err));
    listing list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        const repo_count_by_repository_row *row = &set.rows[i];
        char originals[16];
        char thumbnails[16];
        list.count++;
        if (list.array != NULL) {
            json_t *object = json_object();
            cli_json_id(object, "repo_id", &row->repo_id);
            cli_json_text(object, "name", row->name);
            cli_json_int(object, "asset_count", row->asset_count);
            cli_json_int(object, "bytes", row->bytes);
            cli_json_int(object, "thumbnail_bytes", row->thumbnail_bytes);
            (void) json_array_append_new(list.array, object);
            continue;
        }
        cli_format_bytes(row->bytes, originals, sizeof originals);
        cli_format_bytes(row->thumbnail_bytes, thumbnails, sizeof thumbnails);
        (void) printf("%10" PRId64 "  %8s + %8s thumbnails  ", row->asset_count, originals,
                      thumbnails);
        cli_print_safe(stdout, row->name);
        (void) printf("\n");
    }
    listing_end(&list);
    repo_count_by_repository_row_set_free(&set);
    return PGC_OK;
}

static pgc_status recount_action(lum_actor actor, void *arg, pgc_error *err)
{
    (void) arg;
    lum_recounted mended = PGC_ZERO;
    TRY(lum_stats_recount(actor, &mended, err));
    const struct {
        const char *name;
        int32_t value;
    } FIELDS[] = {
        { "days", mended.days },
        { "tags", mended.tags },
        { "albums", mended.albums },
        { "library", mended.library },
    };
    json_t *object = cli_common_options.json ? json_object() : NULL;
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
        if (object != NULL) {
            cli_json_int(object, FIELDS[i].name, FIELDS[i].value);
        } else {
            (void) printf("%-14s %" PRId32 " counted wrong and mended\n", FIELDS[i].name,
                          FIELDS[i].value);
        }
    }
    if (object != NULL) {
        cli_print_json(object);
    }
    return PGC_OK;
}

static const cli_family_command STATS[] = {
    { "totals", "", cli_take_nothing, "takes no operands", totals_action },
    { "cameras", "l", cli_take_nothing, "takes no operands", cameras_action },
    { "lenses", "l", cli_take_nothing, "takes no operands", lenses_action },
    { "years", "", cli_take_nothing, "takes no operands", years_action },
    { "tags", "l", cli_take_nothing, "takes no operands", tags_action },
    { "storage", "", cli_take_nothing, "takes no operands", storage_action },
    { "recount", "", cli_take_nothing, "takes no operands", recount_action },
};

/* --least, or the usual threshold. */
static pgc_status least_take(const stats_call *call, double *out, pgc_error *err)
{
    *out = LUM_SPECIES_CONFIDENCE;
    if (call->least != NULL && !slice_to_f64(pgc_text_from(call->least), out)) {
        return pgc_error_set(err, PGC_INVALID, "--least %s: a number from 0 to 1", call->least);
    }
    return PGC_OK;
}

static pgc_status species_list_action(lum_actor actor, void *arg, pgc_error *err)
{
    const stats_call *call = arg;
    double least = 0;
    repo_count_species_row_set set = PGC_ZERO;
    TRY(least_take(call, &least, err));
    TRY(lum_species_count(actor, least, cli_i32(call->limit), &set, err));
    listing list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        listing_add(&list, "species", set.rows[i].species_name, set.rows[i].asset_count);
    }
    listing_end(&list);
    repo_count_species_row_set_free(&set);
    return PGC_OK;
}

static pgc_status species_of_action(lum_actor actor, void *arg, pgc_error *err)
{
    const stats_call *call = arg;
    repo_list_species_of_asset_row_set set = PGC_ZERO;
    TRY(lum_species_list(actor, call->id, &set, err));
    listing list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        const repo_list_species_of_asset_row *row = &set.rows[i];
        list.count++;
        if (list.array != NULL) {
            json_t *object = json_object();
            cli_json_text(object, "species", row->species_name);
            cli_json_text(object, "common_name", row->common_name);
            (void) json_object_set_new(object, "confidence", json_real(row->confidence));
            (void) json_array_append_new(list.array, object);
            continue;
        }
        (void) printf("%6.4f  ", row->confidence);
        cli_print_safe(stdout, row->species_name);
        (void) printf("\n");
    }
    listing_end(&list);
    repo_list_species_of_asset_row_set_free(&set);
    return PGC_OK;
}

/* --after ID: the asset's confidence is where the page before ended. */
static pgc_status after_take(lum_actor actor, const char *after, lum_species_query *query,
                             pgc_error *err)
{
    pgc_uuid id;
    repo_list_species_of_asset_row_set set = PGC_ZERO;
    if (!cli_take_id(after, &id)) {
        return pgc_error_set(err, PGC_INVALID, "--after %s: the id of an asset", after);
    }
    TRY(lum_species_list(actor, id, &set, err));
    for (size_t i = 0; i < set.count; i++) {
        if (slice_eq(set.rows[i].species_name, query->name)) {
            query->behind = (pgc_opt_uuid) { true, id };
            query->behind_confidence = set.rows[i].confidence;
        }
    }
    repo_list_species_of_asset_row_set_free(&set);
    return query->behind.has
               ? PGC_OK
               : pgc_error_set(err, PGC_NOT_FOUND,
                               "--after %s: not an asset that shows \"%" SLICE_FMT "\"", after,
                               SLICE_ARG(query->name));
}

static pgc_status species_assets_action(lum_actor actor, void *arg, pgc_error *err)
{
    const stats_call *call = arg;
    repo_list_assets_of_species_row_set set = PGC_ZERO;
    lum_species_query query = { .name = pgc_text_from(call->name), .limit = cli_i32(call->limit) };
    TRY(least_take(call, &query.min_confidence, err));
    if (call->after != NULL) {
        TRY(after_take(actor, call->after, &query, err));
    }
    TRY(lum_species_assets(actor, &query, &set, err));
    listing list = listing_begin();
    for (size_t i = 0; i < set.count; i++) {
        list.count++;
        if (list.array != NULL) {
            (void) json_array_append_new(list.array, asset_json(&set.rows[i].a));
        } else {
            asset_print_row(stdout, &set.rows[i].a);
        }
    }
    listing_end(&list);
    repo_list_assets_of_species_row_set_free(&set);
    return PGC_OK;
}

static bool take_id(int argc, char **argv, void *arg)
{
    stats_call *call = arg;
    return argc == 1 && cli_take_id(argv[0], &call->id);
}

static bool take_name(int argc, char **argv, void *arg)
{
    stats_call *call = arg;
    call->name = argc == 1 ? argv[0] : NULL;
    return argc == 1;
}

static const cli_family_command SPECIES[] = {
    { "list", "lm", cli_take_nothing, "takes no operands", species_list_action },
    { "of", "", take_id, "give the id of one asset", species_of_action },
    { "assets", "lma", take_name, "give the name of one species", species_assets_action },
};

/* Both families have the same few options. */
static int run(const char *name, const cli_family_command *commands, size_t count, int argc,
               char **argv)
{
    stats_call call = { .limit = 50 };
    const cli_family_option options[] = {
        { 'l', { "limit", "N", "rows at the most, up to 1000", &call.limit, CLI_COUNT } },
        { 'm', { "least", "N", "confidence from here on (default: 0.5)", &call.least, CLI_TEXT } },
        { 'a', { "after", "ID", "go on behind this asset", &call.after, CLI_TEXT } },
    };
    const cli_family family = { name, commands, count, options, ARRAY_LEN(options), &call };
    return cli_family_run(&family, argc, argv);
}

int cmd_stats(int argc, char **argv)
{
    return run("stats", STATS, ARRAY_LEN(STATS), argc, argv);
}

int cmd_species(int argc, char **argv)
{
    return run("species", SPECIES, ARRAY_LEN(SPECIES), argc, argv);
}
