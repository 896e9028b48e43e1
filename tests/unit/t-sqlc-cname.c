/* Names: snake case, reserved words, singulars. */
#include "base/prelude.h"

#include "sqlc/cname.h"

#include "sqlc.h"
#include "tap.h"

static arena *mem;

static void snake(const char *raw, const char *want)
{
    char *out = NULL;
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(cname_snake(mem, sqlc_text(raw), &out, &err), PGC_OK, &err);
    CHECK_STR(out, want);
}

static void camel_case_is_cut_into_words(void)
{
    mem = arena_new(NULL, 0, 0);
    snake("ListAssetsByURL", "list_assets_by_url");
    snake("GetHTTPServer", "get_http_server");
    snake("GetV2Item", "get_v2_item");
    snake("GetAssetsByOwnerAndType", "get_assets_by_owner_and_type");
    snake("already_snake", "already_snake");
    snake("createdAt", "created_at");
    snake("Weird Column-Name!", "weird_column_name");
    snake("__x__y__", "x_y");
    snake("2fa", "n2fa");
    snake("größe", "gr_e");
    snake("日本", NULL);
    snake("", NULL);
    arena_free(mem);
}

static void reserved_words_get_an_underscore(void)
{
    mem = arena_new(NULL, 0, 0);
    CHECK_STR(cname_safe(mem, "class"), "class_");
    CHECK_STR(cname_safe(mem, "xor_eq"), "xor_eq_");
    CHECK_STR(cname_safe(mem, "EOF"), "EOF_");
    CHECK_STR(cname_safe(mem, "errno"), "errno_");
    CHECK_STR(cname_safe(mem, "size"), "size");
    /* The list is searched in order: every entry must be found. */
    CHECK(cname_is_reserved("alignas"));
    CHECK(cname_is_reserved("while"));
    CHECK(cname_is_reserved("TRUE"));
    CHECK(cname_is_reserved("co_await"));
    arena_free(mem);
}

static void singular(const char *table, const char *want)
{
    CHECK_STR(cname_singular(mem, table, NULL), want);
}

static void tables_are_singular(void)
{
    mem = arena_new(NULL, 0, 0);
    singular("assets", "asset");
    singular("repositories", "repository");
    singular("album_assets", "album_asset");
    singular("species_predictions", "species_prediction");
    singular("species", "species");
    singular("addresses", "address");
    singular("boxes", "box");
    singular("branches", "branch");
    singular("people", "person");
    singular("statuses", "status");
    singular("status", "status");
    singular("indices", "index");
    singular("leaves", "leave");
    singular("metadata", "metadata");
    singular("caches", "cache");
    singular("images", "image");
    singular("sizes", "size");
    singular("files", "file");
    singular("s", "s");
    vec excluded = { 0 };
    const char **slot = VEC_ADD(mem, &excluded, const char *);
    REQUIRE(slot != NULL);
    *slot = "glasses";
    CHECK_STR(cname_singular(mem, "Glasses", &excluded), "Glasses");
    arena_free(mem);
}

TAP_MAIN(TAP("names become snake case", camel_case_is_cut_into_words),
         TAP("reserved words get an underscore", reserved_words_get_an_underscore),
         TAP("table names become singular", tables_are_singular))
