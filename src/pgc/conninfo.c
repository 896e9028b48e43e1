/* Connection strings taken apart. The parser's message is never passed on, because it may quote a
 * part of the string that is a password; copies of secrets are wiped. One thread per conninfo. */
#include "base/prelude.h"

#include "pgc/conninfo.h"

#include "base/buf.h"
#include "pgc/conninfo_scan.h"

#define CONNINFO_LONGEST ((size_t) 1 << 20)

/* Values that are secrets must not stay in freed memory. */
static void options_free(const pq_ops *pq, PQconninfoOption *options)
{
    for (PQconninfoOption *one = options; one != NULL && one->keyword != NULL; one++) {
        if (one->val != NULL && strstr(one->keyword, "password") != NULL) {
            explicit_bzero(one->val, strlen(one->val));
        }
    }
    pq->conninfoFree(options);
}

static const PQconninfoOption *option_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *one = options; one != NULL && one->keyword != NULL; one++) {
        if (strcmp(one->keyword, keyword) == 0) {
            return one;
        }
    }
    return NULL;
}

/* Defaults of libpq itself are nobody's choice. */
const char *conninfo_get(const conninfo *info, const char *keyword)
{
    const PQconninfoOption *one = option_of(info->given, keyword);
    if (one != NULL && one->val != NULL && one->val[0] != '\0') {
        return one->val;
    }
    one = option_of(info->added, keyword);
    bool chosen = one != NULL && one->val != NULL && one->val[0] != '\0' &&
                  (one->compiled == NULL || strcmp(one->val, one->compiled) != 0);
    return chosen ? one->val : NULL;
}

static pgc_status parse(const pq_ops *pq, const char *text, PQconninfoOption **out, pgc_error *err)
{
    char *message = NULL;
    PQconninfoOption *parsed = pq->conninfoParse(text, &message);
    pq->freemem(message);
    if (parsed == NULL) {
        pgc_status status = pgc_error_set(err, PGC_INVALID, "connection string cannot be parsed");
        pgc_error_hint(err, "write it as \"host=… dbname=…\" or as postgresql://user@host/dbname; "
                            "percent-encode special characters in URIs");
        return status;
    }
    *out = parsed;
    return PGC_OK;
}

/* An unescaped '@' in a URI's password makes the rest of it part of the host, which messages name.
 * A leading '@' is an abstract socket. */
static pgc_status check_host(const conninfo *info, pgc_error *err)
{
    const PQconninfoOption *host = option_of(info->given, "host");
    if (host == NULL || host->val == NULL || host->val[0] == '\0') {
        return PGC_OK;
    }
    for (const char *at = strchr(host->val + 1, '@'); at != NULL; at = strchr(at + 1, '@')) {
        if (at[-1] != ',') {
            pgc_status status =
                pgc_error_set(err, PGC_INVALID, "connection string: the host holds an '@'");
            pgc_error_hint(err, "write '@' in the password of a URI as %%40");
            return status;
        }
    }
    return PGC_OK;
}

/* libpq 15 would take the word for the name of a file. */
static pgc_status check_root(const conninfo *info, pgc_error *err)
{
    const char *root = conninfo_get(info, "sslrootcert");
    if (root == NULL || strcmp(root, "system") != 0 || info->pq->libVersion() >= 160000) {
        return PGC_OK;
    }
    pgc_status status =
        pgc_error_set(err, PGC_UNSUPPORTED, "connection string: sslrootcert=system needs libpq 16");
    pgc_error_hint(err, "name the system's file, e.g. /etc/ssl/certs/ca-certificates.crt");
    return status;
}

/* A service file is read by libpq only when it connects. So it is made to begin and to fail at a
 * value that it refuses before anything is sent; then it can be asked what it had put together. */
static PQconninfoOption *read_service(const pq_ops *pq, const char *service)
{
    const char *const keywords[] = { "service", "gssencmode", NULL };
    const char *const values[] = { service, "not-a-mode", NULL };
    PGconn *trial = pq->connectStartParams(keywords, values, 0);
    PQconninfoOption *found = trial == NULL ? NULL : pq->conninfo(trial);
    pq->finish(trial);
    return found;
}

static pgc_status add_defaults(conninfo *info, pgc_error *err)
{
    const PQconninfoOption *service = option_of(info->given, "service");
    bool named = service != NULL && service->val != NULL && service->val[0] != '\0';
    info->added = named ? read_service(info->pq, service->val) : info->pq->conndefaults();
    return info->added != NULL ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "connection string");
}

/* What is put aside for us never reaches libpq, and no copy of a password stays behind. */
static pgc_status take_apart(const pq_ops *pq, const pgc_alloc *alloc, const char *text,
                             PQconninfoOption **out, bool *balance_out, pgc_error *err)
{
    buf clean;
    buf_init(&clean, alloc, CONNINFO_LONGEST);
    if (buf_extend(&clean, strlen(text) + 1) == NULL) { /* at once: growing would leave copies */
        return pgc_error_set(err, PGC_NOMEM, "connection string");
    }
    buf_reset(&clean);
    pgc_status status = conninfo_scan(pq, text, &clean, balance_out, err);
    if (status == PGC_OK) {
        status = parse(pq, buf_view(&clean).ptr, out, err);
    }
    explicit_bzero(clean.ptr, clean.cap);
    buf_done(&clean);
    return status;
}

pgc_status conninfo_open(const pq_ops *pq, const pgc_alloc *alloc, const char *text, conninfo *out,
                         pgc_error *err)
{
    conninfo info = { .pq = pq };
    pgc_status status = take_apart(pq, alloc, text, &info.given, &info.balance, err);
    if (status == PGC_OK) {
        status = add_defaults(&info, err);
    }
    if (status == PGC_OK) {
        status = check_host(&info, err);
    }
    if (status == PGC_OK) {
        status = check_root(&info, err);
    }
    if (status != PGC_OK) {
        conninfo_close(&info);
        return status;
    }
    *out = info;
    return PGC_OK;
}

void conninfo_close(conninfo *info)
{
    options_free(info->pq, info->given);
    options_free(info->pq, info->added);
    *info = (conninfo) { .pq = info->pq };
}

/* Very short ones would turn up in innocent words. */
static void redact_text(const char *secret, char *text, size_t size)
{
    static const char SHOWN[] = "[password]";
    size_t len = strlen(secret);
    for (char *at = strstr(text, secret); at != NULL; at = strstr(at, secret)) {
        size_t rest = strlen(at + len) + 1;
        size_t room = size - (size_t) (at - text);
        size_t shown = sizeof SHOWN - 1 < room - 1 ? sizeof SHOWN - 1 : room - 1;
        size_t kept = rest < room - shown ? rest : room - shown;
        memmove(at + shown, at + len, kept);
        memcpy(at, SHOWN, shown);
        text[size - 1] = '\0';
        at += shown;
    }
}

void conninfo_redact(const char *secret, pgc_error *err)
{
    if (err == NULL || secret == NULL || strlen(secret) < 4) {
        return;
    }
    redact_text(secret, err->message, sizeof err->message);
    redact_text(secret, err->detail, sizeof err->detail);
    redact_text(secret, err->hint, sizeof err->hint);
}

pgc_status conninfo_each_env(const char *text,
                             void (*set)(void *arg, const char *name, const char *value), void *arg,
                             pgc_error *err)
{
    const pq_ops *pq = pq_libpq();
    PQconninfoOption *options = NULL;
    bool balance = false; /* a matter of ours: psql gets the hosts in their order */
    TRY(take_apart(pq, NULL, text, &options, &balance, err));
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val != NULL && option->envvar != NULL) {
            set(arg, option->envvar, option->val);
        }
    }
    options_free(pq, options);
    return PGC_OK;
}
