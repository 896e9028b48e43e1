/* libpq refuses a connection string with a keyword that it does not know, and says so in a text
 * that may quote a password. So we look at the keywords first. Only where a pair begins and ends
 * matters here; values stay for libpq's parser. Pure functions; any thread. */
#include "base/prelude.h"

#include "pgc/conninfo_scan.h"

/* One keyword=value and the bytes it takes in the string. */
typedef struct pair {
    size_t start, end;
    slice keyword, value; /* the value as it is written, quotes and escapes included */
} pair;

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_blanks(slice text, size_t at)
{
    while (at < text.len && is_blank(text.ptr[at])) {
        at++;
    }
    return at;
}

/* End of a value: quoted up to the closing quote, else up to a blank; '\' hides what follows. */
static size_t value_end(slice text, size_t at)
{
    bool quoted = at < text.len && text.ptr[at] == '\'';
    for (at += quoted ? 1 : 0; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '\\') {
            at++;
        } else if (quoted ? c == '\'' : is_blank(c)) {
            return at + (quoted ? 1 : 0);
        }
    }
    return text.len;
}

/* False at the end, and where no '=' follows a keyword. */
static bool next_of_list(slice text, size_t at, pair *out)
{
    size_t start = skip_blanks(text, at);
    size_t stop = start;
    while (stop < text.len && text.ptr[stop] != '=' && !is_blank(text.ptr[stop])) {
        stop++;
    }
    size_t equals = skip_blanks(text, stop);
    if (stop == start || equals >= text.len || text.ptr[equals] != '=') {
        return false;
    }
    size_t value = skip_blanks(text, equals + 1);
    size_t end = value_end(text, value);
    *out = (pair) { start, end, slice_sub(text, start, stop), slice_sub(text, value, end) };
    return true;
}

/* The '&' behind a parameter goes with it; libpq minds none at the end. */
static bool next_of_uri(slice text, size_t at, pair *out)
{
    size_t end = slice_find(text, '&', at);
    end = end == SIZE_MAX ? text.len : end;
    size_t equals = slice_find(text, '=', at);
    if (equals == SIZE_MAX || equals >= end) {
        return false;
    }
    *out = (pair) { at, end + (end < text.len ? 1 : 0), slice_sub(text, at, equals),
                    slice_sub(text, equals + 1, end) };
    return true;
}

/* Where the parameters of a URI begin: behind the '?' that follows user, password and host. */
static size_t uri_parameters(slice text)
{
    size_t at = slice_find(text, '/', 0) + 2;
    for (size_t i = at; i < text.len && text.ptr[i] != '/'; i++) {
        if (text.ptr[i] == '@') {
            at = i + 1;
            break;
        }
    }
    size_t question = slice_find(text, '?', at);
    return question == SIZE_MAX ? text.len : question + 1;
}

/* An empty table (of a libpq that is none) knows everything. */
static bool is_known(const PQconninfoOption *known, slice keyword)
{
    for (const PQconninfoOption *one = known; one->keyword != NULL; one++) {
        if (slice_eq_str(keyword, one->keyword)) {
            return true;
        }
    }
    /* libpq takes them in URIs for the sake of JDBC; with '%' it is spelled in a way of its own. */
    return known->keyword == NULL || slice_eq_str(keyword, "ssl") ||
           slice_find(keyword, '%', 0) != SIZE_MAX;
}

/* Keywords that came after libpq 15. `plain`: a value that asks for what an older one does anyway;
 * "*": any value, because only speed depends on it. */
static const struct {
    const char *keyword;
    int major;
    const char *plain;
} NEWER[] = {
    { "require_auth", 16, NULL },          { "sslcertmode", 16, "allow" },
    { "gssdelegation", 16, "0" },          { "sslnegotiation", 17, "*" },
    { "servicefile", 18, NULL },           { "min_protocol_version", 18, "3.0" },
    { "max_protocol_version", 18, "3.0" }, { "scram_client_key", 18, NULL },
    { "scram_server_key", 18, NULL },      { "sslkeylogfile", 18, NULL },
    { "oauth_issuer", 18, NULL },          { "oauth_client_id", 18, NULL },
    { "oauth_client_secret", 18, NULL },   { "oauth_scope", 18, NULL },
};

/* What looks like a keyword behind a secret without quotes may be a part of the secret. */
static bool may_name(slice keyword, bool after_secret)
{
    for (size_t i = 0; i < keyword.len; i++) {
        char c = keyword.ptr[i];
        if (!(c >= 'a' && c <= 'z') && c != '_') {
            return false;
        }
    }
    return !after_secret && keyword.len > 0 && keyword.len < 40;
}

static pgc_status refuse_unknown(slice keyword, bool after_secret, pgc_error *err)
{
    pgc_status status;
    if (may_name(keyword, after_secret)) {
        status =
            pgc_error_set(err, PGC_INVALID, "connection string: unknown keyword \"%" SLICE_FMT "\"",
                          SLICE_ARG(keyword));
        pgc_error_hint(err, "the keywords are those of libpq: host, port, dbname, user, sslmode …");
    } else {
        status = pgc_error_set(err, PGC_INVALID, "connection string: unknown keyword");
        pgc_error_hint(err, "it is not shown because it may be part of a password: quote values "
                            "with blanks as '…', percent-encode them in URIs");
    }
    return status;
}

/* PGC_OK: the pair can be left out. */
static pgc_status judge_unknown(const pq_ops *pq, const pair *one, bool after_secret,
                                pgc_error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(NEWER); i++) {
        if (!slice_eq_str(one->keyword, NEWER[i].keyword)) {
            continue;
        }
        const char *plain = NEWER[i].plain;
        if (plain != NULL && (strcmp(plain, "*") == 0 || slice_eq_str(one->value, plain))) {
            return PGC_OK;
        }
        pgc_status status = pgc_error_set(
            err, PGC_UNSUPPORTED, "connection string: %s needs libpq %d or later, this is %d.%d",
            NEWER[i].keyword, NEWER[i].major, pq->libVersion() / 10000, pq->libVersion() % 10000);
        pgc_error_hint(err, "leave it out, or install a newer libpq");
        return status;
    }
    return refuse_unknown(one->keyword, after_secret, err);
}

static bool is_secret(slice keyword)
{
    return slice_eq_str(keyword, "password") || slice_eq_str(keyword, "sslpassword") ||
           slice_eq_str(keyword, "oauth_client_secret");
}

/* Ours on every version: older ones do not know it, and we walk the hosts ourselves. */
static pgc_status take_balance(slice value, bool *balance_out, pgc_error *err)
{
    if (slice_eq_str(value, "random") || slice_eq_str(value, "'random'")) {
        *balance_out = true;
    } else if (slice_eq_str(value, "disable") || slice_eq_str(value, "'disable'")) {
        *balance_out = false;
    } else {
        return pgc_error_set(err, PGC_INVALID,
                             "connection string: load_balance_hosts is neither random nor disable");
    }
    return PGC_OK;
}

static pgc_status scan(const pq_ops *pq, const PQconninfoOption *known, slice text, buf *out,
                       bool *balance_out, pgc_error *err)
{
    bool uri =
        slice_starts(text, SLICE("postgresql://")) || slice_starts(text, SLICE("postgres://"));
    size_t at = uri ? uri_parameters(text) : 0;
    bool after_secret = uri && slice_find(slice_sub(text, at, text.len), '@', 0) != SIZE_MAX;
    buf_add(out, slice_sub(text, 0, at));
    pair one;
    while (uri ? next_of_uri(text, at, &one) : next_of_list(text, at, &one)) {
        bool keep = true;
        if (slice_eq_str(one.keyword, "load_balance_hosts")) {
            TRY(take_balance(one.value, balance_out, err));
            keep = false;
        } else if (!is_known(known, one.keyword)) {
            TRY(judge_unknown(pq, &one, after_secret, err));
            keep = false;
        }
        after_secret = after_secret || is_secret(one.keyword);
        if (keep) {
            buf_add(out, slice_sub(text, at, one.end));
        }
        at = one.end;
    }
    buf_add(out, slice_sub(text, at, text.len));
    buf_add_char(out, '\0');
    return buf_finish(out, err);
}

pgc_status conninfo_scan(const pq_ops *pq, const char *text, buf *out, bool *balance_out,
                         pgc_error *err)
{
    PQconninfoOption *known = pq->conndefaults();
    if (known == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connection string");
    }
    pgc_status status = scan(pq, known, (slice) { text, strlen(text) }, out, balance_out, err);
    pq->conninfoFree(known);
    return status;
}
