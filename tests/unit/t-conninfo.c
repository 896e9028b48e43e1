/* Connection strings and host lists: keywords, secrets, order, what counts as local. */
#include "base/prelude.h"

#include "base/buf.h"
#include "pgc/connection.h"
#include "pgc/conninfo.h"
#include "pgc/conninfo_scan.h"

#include "oom.h"
#include "tap.h"

/* A libpq of another version: the real table but for its number. */
static int version_15(void)
{
    return 150020;
}

static pq_ops older;

static const pq_ops *libpq_15(void)
{
    older = *pq_libpq();
    older.libVersion = version_15;
    return &older;
}

static pgc_status scan(const char *text, char *clean, size_t size, bool *balance, pgc_error *err)
{
    buf out;
    buf_init(&out, NULL, 4096);
    pgc_status status = conninfo_scan(libpq_15(), text, &out, balance, err);
    if (status == PGC_OK) {
        (void) snprintf(clean, size, "%s", buf_view(&out).ptr);
    }
    buf_done(&out);
    return status;
}

static void balancing_is_taken_out_of_both_forms(void)
{
    static const struct {
        const char *given, *clean;
        bool balance;
    } ROWS[] = {
        { "", "", false },
        { "host=a load_balance_hosts=random port=1", "host=a port=1", true },
        { "load_balance_hosts = 'random'", "", true },
        { "load_balance_hosts=disable host=a", " host=a", false },
        { "host='a load_balance_hosts=random'", "host='a load_balance_hosts=random'", false },
        { "host=a\\ b port=1", "host=a\\ b port=1", false },
        { "postgresql://u:p@a,b/d?load_balance_hosts=random", "postgresql://u:p@a,b/d?", true },
        { "postgres://a/d?port=1&load_balance_hosts=random&user=u", "postgres://a/d?port=1&user=u",
          true },
        { "postgresql://u:p?load_balance_hosts=random@a/d",
          "postgresql://u:p?load_balance_hosts=random@a/d", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        pgc_error err;
        char clean[200] = "";
        bool balance = false;
        CHECK_STATUS(scan(ROWS[i].given, clean, sizeof clean, &balance, &err), PGC_OK, &err);
        CHECK_STR(clean, ROWS[i].clean);
        CHECK_INT(balance, ROWS[i].balance);
    }
    pgc_error err;
    char clean[200];
    bool balance = false;
    CHECK_STATUS(scan("load_balance_hosts=often", clean, sizeof clean, &balance, &err), PGC_INVALID,
                 &err);
    CHECK(strstr(err.message, "load_balance_hosts") != NULL);
}

static void unknown_keywords_are_named_and_secrets_are_not(void)
{
    static const struct {
        const char *given, *named;
    } ROWS[] = {
        { "host=a hots=b", "\"hots\"" },
        { "postgresql://a/d?sslmod=require", "\"sslmod\"" },
        { "password=top s3cret=x", NULL },
        { "password=top secret=x", NULL },
        { "postgresql://u:pw?s3c/ret=1@h/d", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        pgc_error err;
        char clean[200];
        bool balance = false;
        CHECK_STATUS(scan(ROWS[i].given, clean, sizeof clean, &balance, &err), PGC_INVALID, &err);
        CHECK(strstr(err.message, "unknown keyword") != NULL);
        CHECK(strstr(err.message, "ret") == NULL);
        CHECK(ROWS[i].named == NULL || strstr(err.message, ROWS[i].named) != NULL);
        CHECK(err.hint[0] != '\0');
    }
}

static void keywords_of_newer_versions_are_dropped_or_explained(void)
{
    PQconninfoOption *known = PQconndefaults();
    REQUIRE(known != NULL);
    bool old = true;
    for (const PQconninfoOption *one = known; one->keyword != NULL; one++) {
        old = old && strcmp(one->keyword, "require_auth") != 0;
    }
    PQconninfoFree(known);
    if (!old) {
        TAP_SKIP("this libpq knows them");
    }
    pgc_error err;
    char clean[200];
    bool balance = false;
    CHECK_STATUS(scan("host=a sslnegotiation=direct port=1", clean, sizeof clean, &balance, &err),
                 PGC_OK, &err);
    CHECK_STR(clean, "host=a port=1");
    CHECK_STATUS(scan("gssdelegation=0 sslcertmode=allow", clean, sizeof clean, &balance, &err),
                 PGC_OK, &err);
    CHECK_STATUS(scan("require_auth=scram-sha-256", clean, sizeof clean, &balance, &err),
                 PGC_UNSUPPORTED, &err);
    CHECK_STR(err.message,
              "connection string: require_auth needs libpq 16 or later, this is 15.20");
    CHECK_STATUS(scan("sslcertmode=require", clean, sizeof clean, &balance, &err), PGC_UNSUPPORTED,
                 &err);
}

static void the_systems_certificates_need_libpq_16(void)
{
    pgc_error err;
    conninfo info;
    CHECK_STATUS(conninfo_open(libpq_15(), NULL, "sslrootcert=system", &info, &err),
                 PGC_UNSUPPORTED, &err);
    CHECK(strstr(err.hint, "ca-certificates") != NULL);
}

static void the_string_wins_over_the_environment(void)
{
    pgc_error err;
    conninfo info;
    REQUIRE(setenv("PGPORT", "4711", 1) == 0);
    REQUIRE_OK(conninfo_open(pq_libpq(), NULL, "host=a", &info, &err), &err);
    CHECK_STR(conninfo_get(&info, "host"), "a");
    CHECK_STR(conninfo_get(&info, "port"), "4711");
    CHECK(conninfo_get(&info, "sslmode") == NULL);
    conninfo_close(&info);
    REQUIRE_OK(conninfo_open(pq_libpq(), NULL, "port=1 sslmode=require", &info, &err), &err);
    CHECK_STR(conninfo_get(&info, "port"), "1");
    CHECK_STR(conninfo_get(&info, "sslmode"), "require");
    CHECK(conninfo_get(&info, "no such keyword") == NULL);
    conninfo_close(&info);
    (void) unsetenv("PGPORT");
}

static void a_service_file_is_looked_up(void)
{
    pgc_error err;
    conninfo info;
    char path[] = "/tmp/t-conninfo-XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    static const char TEXT[] = "[photos]\nhost=db1,db2\nsslmode=require\n";
    CHECK_INT(write(fd, TEXT, sizeof TEXT - 1), sizeof TEXT - 1);
    (void) close(fd);
    REQUIRE(setenv("PGSERVICEFILE", path, 1) == 0);
    REQUIRE_OK(conninfo_open(pq_libpq(), NULL, "service=photos port=1", &info, &err), &err);
    CHECK_STR(conninfo_get(&info, "host"), "db1,db2");
    CHECK_STR(conninfo_get(&info, "sslmode"), "require");
    CHECK_STR(conninfo_get(&info, "port"), "1");
    conninfo_close(&info);
    (void) unsetenv("PGSERVICEFILE");
    (void) unlink(path);
}

static void secrets_are_redacted_in_every_text(void)
{
    pgc_error err;
    (void) pgc_error_set(&err, PGC_CONNECTION, "connect: s3cret and s3cret");
    pgc_error_hint(&err, "not s3cret");
    conninfo_redact("s3cret", &err);
    CHECK_STR(err.message, "connect: [password] and [password]");
    CHECK_STR(err.hint, "not [password]");
    conninfo_redact("and", &err); /* too short to be told from a word */
    CHECK_STR(err.message, "connect: [password] and [password]");
    conninfo_redact(NULL, &err);
    memset(err.message, 'x', sizeof err.message - 1);
    memcpy(err.message + sizeof err.message - 6, "abcde", 6);
    conninfo_redact("abcde", &err);
    CHECK(strstr(err.message, "abcde") == NULL);
    CHECK(strlen(err.message) < sizeof err.message);
    memset(err.message, 'x', sizeof err.message - 1);
    conninfo_redact("xxxx", &err);
    CHECK(strstr(err.message, "xxxx") == NULL);
}

static void host_lists_are_taken_apart(void)
{
    pgc_error err;
    host_list list;
    REQUIRE_OK(hosts_open(&list, NULL, "a,,c", NULL, "1,2,3", &err), &err);
    CHECK_INT(list.count, 3);
    CHECK_STR(list.entries[0].host, "a");
    CHECK_STR(list.entries[1].host, "");
    CHECK_STR(list.entries[2].host, "c");
    CHECK_STR(list.entries[2].port, "3");
    hosts_close(&list);
    REQUIRE_OK(hosts_open(&list, NULL, "a,b", "10.0.0.1,::1", "5433", &err), &err);
    CHECK_INT(list.count, 2);
    CHECK_STR(list.entries[1].hostaddr, "::1");
    CHECK_STR(list.entries[0].port, "5433");
    CHECK_STR(list.entries[1].port, "5433");
    hosts_close(&list);
    REQUIRE_OK(hosts_open(&list, NULL, NULL, NULL, NULL, &err), &err);
    CHECK_INT(list.count, 1);
    CHECK_STR(list.entries[0].host, "");
    hosts_close(&list);
    CHECK_STATUS(hosts_open(&list, NULL, "a,b", "1.1.1.1", NULL, &err), PGC_INVALID, &err);
    CHECK_STATUS(hosts_open(&list, NULL, "a,b", NULL, "1,2,3", &err), PGC_INVALID, &err);
    char many[2 * HOSTS_MAX + 2];
    memset(many, ',', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    CHECK_STATUS(hosts_open(&list, NULL, many, NULL, NULL, &err), PGC_INVALID, &err);
    oom_plan plan = { .fail_at = 1 };
    const pgc_alloc alloc = oom_alloc(&plan);
    CHECK_STATUS(hosts_open(&list, &alloc, "a", NULL, NULL, &err), PGC_NOMEM, &err);
}

static void mistakes_show_without_a_server(void)
{
    static const char *const BAD[] = {
        "host=a,b port=1,2,3",
        "host=a target_session_attrs=writable",
        "host=/run,db.example sslmode=prefer",
        "host=db.example sslmode=allow",
        "host=a nonsense=1",
        "host=a@b",
    };
    static const char *const GOOD[] = { "", "host=localhost,/run sslmode=prefer",
                                        "host=db.example sslmode=disable",
                                        "host=a,b load_balance_hosts=random",
                                        "host=@abstract,@other" };
    pgc_error err;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        CHECK_STATUS(conn_check_conninfo(pq_libpq(), BAD[i], &err), PGC_INVALID, &err);
    }
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        CHECK_STATUS(conn_check_conninfo(pq_libpq(), GOOD[i], &err), PGC_OK, &err);
    }
}

/* Each of three hosts comes first about as often as the others; the seed is fixed. */
static void random_order_is_even(void)
{
    enum { ROUNDS = 3000 };
    clock_fake clock;
    clock_fake_init(&clock, 0, 42);
    int first[3] = { 0 }, last[3] = { 0 }, address_first[3] = { 0 };
    for (int i = 0; i < ROUNDS; i++) {
        pgc_error err;
        host_list list;
        REQUIRE_OK(hosts_open(&list, NULL, "a,b,c", NULL, NULL, &err), &err);
        hosts_shuffle(&list, &clock.ops);
        first[list.entries[0].host[0] - 'a']++;
        last[list.entries[2].host[0] - 'a']++;
        hosts_close(&list);
        host_addresses addresses = { .count = 3, .text = { "0", "1", "2" } };
        addresses_shuffle(&addresses, &clock.ops);
        address_first[addresses.text[0][0] - '0']++;
    }
    for (int i = 0; i < 3; i++) {
        CHECK(first[i] > ROUNDS / 4 && first[i] < ROUNDS * 5 / 12);
        CHECK(last[i] > ROUNDS / 4 && last[i] < ROUNDS * 5 / 12);
        CHECK(address_first[i] > ROUNDS / 4 && address_first[i] < ROUNDS * 5 / 12);
    }
    clock.random_fails = true;
    host_addresses addresses = { .count = 3, .text = { "0", "1", "2" } };
    addresses_shuffle(&addresses, &clock.ops);
    CHECK_STR(addresses.text[0], "0");
    CHECK_STR(addresses.text[2], "2");
}

static void only_what_nobody_can_fake_is_local(void)
{
    static const struct {
        host_entry entry;
        bool local, lookup;
    } ROWS[] = {
        { { "", "", "" }, true, false },
        { { "/run/postgresql", "", "" }, true, false },
        { { "@abstract", "", "" }, true, false },
        { { "localhost", "", "" }, true, true },
        { { "127.0.0.9", "", "" }, true, false },
        { { "::1", "", "" }, true, false },
        { { "", "127.0.0.1", "" }, true, false },
        { { "", "192.0.2.1", "" }, false, false },
        { { "192.0.2.1", "", "" }, false, false },
        { { "fe80::1%eth0", "", "" }, false, false },
        { { "db.example", "", "" }, false, true },
        { { "db.example", "127.0.0.1", "" }, false, false },
        { { "localhost.evil.example", "", "" }, false, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CHECK_INT(host_is_local(&ROWS[i].entry), ROWS[i].local);
        CHECK_INT(host_needs_lookup(&ROWS[i].entry), ROWS[i].lookup);
    }
}

static void wants_choose_servers(void)
{
    /* Rows: primary, primary that is read only, standby. */
    static const struct {
        const char *name;
        bool fits[3];
    } ROWS[] = {
        { "any", { true, true, true } },        { "read-write", { true, false, false } },
        { "read-only", { false, true, true } }, { "primary", { true, true, false } },
        { "standby", { false, false, true } },  { "prefer-standby", { false, false, true } },
        { NULL, { true, true, true } },
    };
    pgc_error err;
    conn_want want;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        REQUIRE_OK(want_parse(ROWS[i].name, &want, &err), &err);
        CHECK_INT(want_fits(want, false, false, false), ROWS[i].fits[0]);
        CHECK_INT(want_fits(want, false, true, false), ROWS[i].fits[1]);
        CHECK_INT(want_fits(want, true, true, false), ROWS[i].fits[2]);
    }
    CHECK(want_fits(WANT_PREFER_STANDBY, false, false, true));
    CHECK_STATUS(want_parse("writable", &want, &err), PGC_INVALID, &err);
    CHECK(err.hint[0] != '\0');
}

static void setting_names_are_checked(void)
{
    static const char *const BAD[] = { "", "a b", "a=b", "-c", "1a", "a\\", NULL };
    pgc_error err;
    pgc_conn_options out;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        const pgc_setting setting = { BAD[i], "x" };
        const pgc_conn_options in = { .struct_size = sizeof in,
                                      .settings = &setting,
                                      .setting_count = 1 };
        CHECK_STATUS(conn_options_resolve(&in, &out, &err), PGC_INVALID, &err);
    }
    const pgc_setting good = { "app.user_id", "" };
    const pgc_conn_options in = { .struct_size = sizeof in, .settings = &good, .setting_count = 1 };
    CHECK_STATUS(conn_options_resolve(&in, &out, &err), PGC_OK, &err);
    const pgc_setting none = { "a", NULL };
    const pgc_conn_options missing = { .struct_size = sizeof missing,
                                       .settings = &none,
                                       .setting_count = 1 };
    CHECK_STATUS(conn_options_resolve(&missing, &out, &err), PGC_INVALID, &err);
}

static void copies_survive_failed_allocations(void)
{
    const pgc_setting settings[] = { { "a", "1" }, { "b", "2" } };
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 50; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        const pgc_conn_options in = { .struct_size = sizeof in,
                                      .conninfo = "host=a",
                                      .role = "r",
                                      .alloc = &alloc,
                                      .settings = settings,
                                      .setting_count = 2 };
        pgc_error err;
        pgc_conn_options copy;
        REQUIRE_OK(conn_options_resolve(&in, &copy, &err), &err);
        pgc_status status = conn_options_copy(&copy, &err);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        CHECK(!complete || (copy.settings != settings && strcmp(copy.settings[1].value, "2") == 0));
        conn_options_free(&copy);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(complete);
}

/* What a program that is started finds in its environment. */
typedef struct env_seen {
    char host[32], database[32], password[32];
    int count;
} env_seen;

static void env_note(void *arg, const char *name, const char *value)
{
    env_seen *seen = arg;
    seen->count++;
    if (strcmp(name, "PGHOST") == 0) {
        (void) snprintf(seen->host, sizeof seen->host, "%s", value);
    } else if (strcmp(name, "PGDATABASE") == 0) {
        (void) snprintf(seen->database, sizeof seen->database, "%s", value);
    } else if (strcmp(name, "PGPASSWORD") == 0) {
        (void) snprintf(seen->password, sizeof seen->password, "%s", value);
    }
}

static void programs_get_the_rest_without_balancing(void)
{
    static const char *const TEXTS[] = {
        "host=a,b dbname=d password=secret load_balance_hosts=random",
        "postgresql://:secret@a,b/d?load_balance_hosts=random",
    };
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        pgc_error err;
        env_seen seen = { .count = 0 };
        CHECK_STATUS(conninfo_each_env(TEXTS[i], env_note, &seen, &err), PGC_OK, &err);
        CHECK_STR(seen.host, "a,b");
        CHECK_STR(seen.database, "d");
        CHECK_STR(seen.password, "secret");
        CHECK(seen.count >= 3);
    }
    pgc_error err;
    env_seen seen = { .count = 0 };
    CHECK_STATUS(conninfo_each_env("host='a", env_note, &seen, &err), PGC_INVALID, &err);
    CHECK_STATUS(conninfo_each_env("hots=a", env_note, &seen, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "hots") != NULL);
    CHECK_INT(seen.count, 0);
}

TAP_MAIN(TAP("conninfo: balancing is taken out of both forms",
             balancing_is_taken_out_of_both_forms),
         TAP("conninfo: unknown keywords are named, secrets are not",
             unknown_keywords_are_named_and_secrets_are_not),
         TAP("conninfo: keywords of newer versions are dropped or explained",
             keywords_of_newer_versions_are_dropped_or_explained),
         TAP("conninfo: the system's certificates need libpq 16",
             the_systems_certificates_need_libpq_16),
         TAP("conninfo: the string wins over the environment",
             the_string_wins_over_the_environment),
         TAP("conninfo: a service file is looked up", a_service_file_is_looked_up),
         TAP("conninfo: programs get the rest without balancing",
             programs_get_the_rest_without_balancing),
         TAP("conninfo: secrets are redacted in every text", secrets_are_redacted_in_every_text),
         TAP("hosts: lists are taken apart", host_lists_are_taken_apart),
         TAP("conninfo: mistakes show without a server", mistakes_show_without_a_server),
         TAP("hosts: random order is even", random_order_is_even),
         TAP("hosts: only what nobody can fake is local", only_what_nobody_can_fake_is_local),
         TAP("hosts: target_session_attrs chooses servers", wants_choose_servers),
         TAP("options: names of settings are checked", setting_names_are_checked),
         TAP("options: copies survive failed allocations", copies_survive_failed_allocations))
