/* ./dev bench secrecy: does the time of an answer tell what is somebody else's from what is not
 * there? Each row asks for something of another owner (or with a wrong password) and, in turn, for
 * what nobody has; medians should be equal, and the ratio is shown. A library of ten thousand
 * assets; LUMILIO_BENCH_DATA keeps it. */
#include "services/parts.h"

#include <lumilio/status.h>

#include "service/album.h"
#include "service/asset.h"
#include "service/auth.h"
#include "service/tag.h"

#define CALLS 500
#define COST  4 /* of bcrypt: at 12 it would hide everything else */

static services_site site;
static lum_actor actor; /* the first owner */
static lum_auth *auth;

/* Something of the second owner's, and the same kind of thing that nobody has. */
static struct {
    pgc_uuid asset[2];
    int32_t album[2], tag[2];
} ids = { .asset[1] = { "0123456789abcde" }, .album[1] = 2000000000, .tag[1] = 2000000000 };

typedef pgc_status (*secrecy_call)(size_t which, pgc_error *err);

static pgc_status get_asset(size_t which, pgc_error *err)
{
    repo_asset_set out = PGC_ZERO;
    pgc_status status = lum_asset_get(actor, ids.asset[which], &out, err);
    repo_asset_set_free(&out);
    return status;
}

static pgc_status delete_asset(size_t which, pgc_error *err)
{
    return lum_asset_delete(actor, ids.asset[which], err);
}

static pgc_status get_album(size_t which, pgc_error *err)
{
    repo_album_set out = PGC_ZERO;
    pgc_status status = lum_album_get(actor, ids.album[which], &out, err);
    repo_album_set_free(&out);
    return status;
}

static pgc_status list_album(size_t which, pgc_error *err)
{
    repo_list_album_assets_row_set out = PGC_ZERO;
    const lum_album_cursor front = { .set = false };
    pgc_status status = lum_album_list_assets(actor, ids.album[which], front, 100, &out, err);
    repo_list_album_assets_row_set_free(&out);
    return status;
}

static pgc_status get_tag(size_t which, pgc_error *err)
{
    repo_get_tag_row_set out = PGC_ZERO;
    pgc_status status = lum_tag_get(actor, ids.tag[which], &out, err);
    repo_get_tag_row_set_free(&out);
    return status;
}

static pgc_status login(size_t which, pgc_error *err)
{
    lum_tokens tokens;
    const lum_client here = { .address = { NULL, 0 } };
    return lum_auth_login(auth, pgc_text_from(which == 0 ? "secrecy" : "nobody-at-all"),
                          pgc_text_from("not this password"), &here, &tokens, NULL, err);
}

static double time_calls(secrecy_call call, size_t which, const char *name)
{
    static double times[CALLS];
    for (size_t i = 0; i < CALLS; i++) {
        double began = bench_now();
        pgc_status status = call(which, &site.err);
        times[i] = (bench_now() - began) * 1e3;
        if (status != PGC_NOT_FOUND && status != LUM_BAD_CREDENTIALS) {
            return site_failed(&site, name);
        }
    }
    return bench_median(times, CALLS);
}

static const struct secrecy_row {
    const char *name;
    secrecy_call call;
} ROWS[] = {
    { "get an asset", get_asset }, { "delete an asset", delete_asset },
    { "get an album", get_album }, { "list an album", list_album },
    { "get a tag", get_tag },      { "log in", login },
};

static double time_foreign(void *ctx)
{
    const struct secrecy_row *row = ctx;
    return time_calls(row->call, 0, row->name);
}

static double time_absent(void *ctx)
{
    const struct secrecy_row *row = ctx;
    return time_calls(row->call, 1, row->name);
}

/* The service as a library has it, but for cheap passwords and no limit on guesses. */
static bool auth_make(pgc_pool **pool, const char *key_file)
{
    int32_t user_id = 0;
    const lum_client here = { .address = { NULL, 0 } };
    pgc_pool_options options = { .struct_size = sizeof options,
                                 .conn = lum_library_conn(site.library),
                                 .max_conns = 2 };
    *(options.conn.user != NULL ? &options.conn.user : &options.conn.role) = "lumilio_auth";
    const lum_registration somebody = { .username = pgc_text_from("secrecy"),
                                        .email = pgc_text_from("secrecy@x"),
                                        .password = pgc_text_from("quite another one") };
    if (pgc_pool_open(&options, pool, &site.err) != PGC_OK) {
        return false;
    }
    const lum_auth_options service = { .pool = *pool,
                                       .key_file = key_file,
                                       .cost = COST,
                                       .by_account = { .burst = 1000000, .interval_us = 1 } };
    if (lum_auth_open(&service, &auth, &site.err) != PGC_OK) {
        return false;
    }
    pgc_status status = lum_auth_register(auth, &somebody, &here, &user_id, &site.err);
    return status == PGC_OK || status == PGC_CONFLICT; /* of the run before */
}

int main(int argc, char **argv)
{
    static bench_case cases[ARRAY_LEN(ROWS)];
    char key_file[sizeof site.home + 16];
    pgc_pool *pool = NULL;
    int code = 1;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        static struct secrecy_row rows[ARRAY_LEN(ROWS)];
        rows[i] = ROWS[i];
        cases[i] = (bench_case) { .name = rows[i].name,
                                  .unit = "ms",
                                  .other_is = "the same for what nobody has",
                                  .ours = time_foreign,
                                  .other = time_absent,
                                  .ctx = &rows[i],
                                  .goal = BENCH_SHOWN,
                                  .rounds = 9 };
    }
    if (site_open(&site, "10000", 10000, 8000)) {
        (void) snprintf(key_file, sizeof key_file, "%s/secrecy.keys", site.home);
        actor = site_actor(&site, 0);
        ids.asset[0] = site.ids[1];
        ids.album[0] = 31; /* as services-data.sql numbers them */
        ids.tag[0] = 221;
        if (auth_make(&pool, key_file)) {
            code = bench_main(argc, argv, "secrecy", cases, ARRAY_LEN(cases));
        } else {
            (void) site_failed(&site, "open the auth service");
        }
    }
    lum_auth_close(auth);
    if (pool != NULL) {
        pgc_pool_close(pool);
    }
    site_close(&site);
    return code;
}
