/* Passwords. pgcrypto's $2a$ is the algorithm that libxcrypt calls $2b$ (its own $2a$ differs for
 * some bytes): hashes are stored as $2a$, which everybody reads, and computed as $2b$. A password
 * lives on the stack or in libxcrypt's work space and is wiped from both. */
#include "base/prelude.h"

#include "service/auth_password.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include "service/auth_common.h"

#define COST_DEFAULT  12
#define WAITING_MAX   256
#define SALT_BYTES    16
#define SETTING_CHARS 29 /* $2b$12$ and 22 characters of salt */

pgc_status password_hasher_init(password_hasher *h, const env *e, uint32_t cost, uint32_t slots,
                                pgc_error *err)
{
    cost = cost != 0 ? cost : COST_DEFAULT;
    if (cost < PASSWORD_COST_MIN || cost > PASSWORD_COST_MAX) {
        return pgc_error_set(err, PGC_INVALID, "bcrypt cost %" PRIu32 ": %d to %d", cost,
                             PASSWORD_COST_MIN, PASSWORD_COST_MAX);
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    memset(h, 0, sizeof *h);
    h->env = e;
    h->cost = cost;
    h->slots = slots != 0 ? slots : processors > 2 ? (uint32_t) processors - 1 : 1;
    h->waiting_max = WAITING_MAX;
    if (pthread_mutex_init(&h->lock, NULL) != 0) {
        return pgc_error_set(err, PGC_NOMEM, "make a lock");
    }
    if (pthread_cond_init(&h->freed, NULL) != 0) {
        (void) pthread_mutex_destroy(&h->lock);
        return pgc_error_set(err, PGC_NOMEM, "make a lock");
    }
    return PGC_OK;
}

void password_hasher_done(password_hasher *h)
{
    assert(h->waiting == 0);
    (void) pthread_cond_destroy(&h->freed);
    (void) pthread_mutex_destroy(&h->lock);
}

pgc_status password_check(slice password, pgc_error *err)
{
    if (password.len == 0) {
        return pgc_error_set(err, PGC_INVALID, "password: is empty");
    }
    if (password.len > PASSWORD_MAX_BYTES) {
        return pgc_error_set(err, PGC_INVALID, "password: longer than %d bytes",
                             PASSWORD_MAX_BYTES);
    }
    if (memchr(password.ptr, '\0', password.len) != NULL) {
        return pgc_error_set(err, PGC_INVALID, "password: holds a NUL byte");
    }
    if (!slice_is_utf8(password)) {
        return pgc_error_set(err, PGC_INVALID, "password: is not UTF-8 text");
    }
    return PGC_OK;
}

pgc_status password_check_new(slice password, slice username, pgc_error *err)
{
    TRY(password_check(password, err));
    size_t chars = 0;
    for (size_t at = 0; at < password.len; chars++) {
        at += slice_char_length(slice_sub(password, at, password.len));
    }
    if (chars < PASSWORD_MIN_CHARS) {
        return pgc_error_set(err, PGC_INVALID, "password: shorter than %d characters",
                             PASSWORD_MIN_CHARS);
    }
    if (slice_eq_nocase(password, username) || password_is_common(password, username)) {
        pgc_status status =
            pgc_error_set(err, PGC_INVALID, "password: is among the first that anybody would try");
        pgc_error_hint(err,
                       "usual words, names, dates and rows of keys are tried first, with digits "
                       "for letters and behind them, too; take three or more words, with "
                       "blanks between them");
        return status;
    }
    return PGC_OK;
}

static bool is_hash_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '/';
}

/* $2x$ is a faulty implementation's, every other scheme is not ours. */
uint32_t password_hash_cost(slice hash)
{
    bool good = hash.len == PASSWORD_HASH_SIZE - 1 && hash.ptr[0] == '$' && hash.ptr[1] == '2' &&
                (hash.ptr[2] == 'a' || hash.ptr[2] == 'b' || hash.ptr[2] == 'y') &&
                hash.ptr[3] == '$' && isdigit((unsigned char) hash.ptr[4]) &&
                isdigit((unsigned char) hash.ptr[5]) && hash.ptr[6] == '$';
    for (size_t i = 7; good && i < hash.len; i++) {
        good = is_hash_char(hash.ptr[i]);
    }
    if (!good) {
        return 0;
    }
    uint32_t cost = (uint32_t) (hash.ptr[4] - '0') * 10 + (uint32_t) (hash.ptr[5] - '0');
    return cost >= PASSWORD_COST_MIN && cost <= PASSWORD_COST_MAX ? cost : 0;
}

/* Each computation keeps a processor busy for a quarter of a second: a bounded number at once, and
 * a bounded number that waits. */
static pgc_status slot_take(password_hasher *h, pgc_error *err)
{
    pgc_status status = PGC_OK;
    (void) pthread_mutex_lock(&h->lock);
    if (h->slots == 0 && h->waiting >= h->waiting_max) {
        status = pgc_error_set(err, PGC_LIMIT, "check a password: too many others wait for theirs");
    } else {
        h->waiting++;
        while (h->slots == 0) {
            (void) pthread_cond_wait(&h->freed, &h->lock);
        }
        h->waiting--;
        h->slots--;
    }
    (void) pthread_mutex_unlock(&h->lock);
    return status;
}

static void slot_give(password_hasher *h)
{
    (void) pthread_mutex_lock(&h->lock);
    h->slots++;
    (void) pthread_cond_signal(&h->freed);
    (void) pthread_mutex_unlock(&h->lock);
}

/* bcrypt of a checked password by a setting, in our spelling. */
static pgc_status compute(password_hasher *h, slice password, const char *setting,
                          char out[static PASSWORD_HASH_SIZE], pgc_error *err)
{
    assert(password.len > 0 && password.len <= PASSWORD_MAX_BYTES);
    struct crypt_data *work = MEM_NEW(h->env->alloc, struct crypt_data);
    if (work == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "compute a password hash");
    }
    char phrase[PASSWORD_MAX_BYTES + 1];
    memcpy(phrase, password.ptr, password.len);
    phrase[password.len] = '\0';
    pgc_status status = slot_take(h, err);
    if (status == PGC_OK) {
        const char *hash = crypt_r(phrase, setting, work);
        slot_give(h);
        h->runs++;
        if (hash == NULL || password_hash_cost(pgc_text_from(hash)) == 0) {
            status = pgc_error_set(err, PGC_UNSUPPORTED,
                                   "compute a password hash: the system's libcrypt has no bcrypt");
        } else {
            memcpy(out, hash, PASSWORD_HASH_SIZE);
            out[2] = 'a';
        }
    }
    explicit_bzero(phrase, sizeof phrase);
    explicit_bzero(work, sizeof *work);
    mem_free(h->env->alloc, work, sizeof *work);
    return status;
}

pgc_status password_hash(password_hasher *h, slice password, char out[static PASSWORD_HASH_SIZE],
                         pgc_error *err)
{
    char salt[SALT_BYTES];
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    TRY(password_check(password, err));
    if (!h->env->clock->random(h->env->clock->ctx, salt, sizeof salt)) {
        return pgc_error_set(err, PGC_IO, "hash a password: no random numbers to be had");
    }
    if (crypt_gensalt_rn("$2b$", h->cost, salt, sizeof salt, setting, sizeof setting) == NULL) {
        return pgc_error_set(err, PGC_UNSUPPORTED,
                             "hash a password: the system's libcrypt has no bcrypt");
    }
    return compute(h, password, setting, out, err);
}

pgc_status password_verify(password_hasher *h, slice password, slice hash, bool *match,
                           pgc_error *err)
{
    char setting[SETTING_CHARS + 1];
    char computed[PASSWORD_HASH_SIZE];
    TRY(password_check(password, err));
    bool real = password_hash_cost(hash) != 0;
    if (real) {
        memcpy(setting, hash.ptr, SETTING_CHARS);
        setting[SETTING_CHARS] = '\0';
        setting[2] = 'b';
    } else {
        (void) snprintf(setting, sizeof setting, "$2b$%02" PRIu32 "$......................",
                        h->cost);
    }
    TRY(compute(h, password, setting, computed, err));
    /* The prefix is compared as part of the setting; the rest is what the password decides. */
    *match = real && CRYPTO_memcmp(computed + SETTING_CHARS, hash.ptr + SETTING_CHARS,
                                   PASSWORD_HASH_SIZE - 1 - SETTING_CHARS) == 0;
    explicit_bzero(computed, sizeof computed);
    return PGC_OK;
}
