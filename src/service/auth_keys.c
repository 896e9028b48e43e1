/* Key file: a first line with the version, then a line for each key, oldest first: id, seconds
 * since 1970, 64 hex digits. It is replaced as a whole, under a lock file; readers need no lock. */
#include "base/prelude.h"

#include "service/auth_keys.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/file.h>

#include "base/file.h"

#define HEADER       "lumilio-keys 1"
#define KEYS_MAX     32
#define FILE_MAX     8192
#define LOOK_US      INT64_C(60000000) /* how often the file is looked at anyway */
#define LOOK_SOON_US INT64_C(1000000)  /* and when somebody names an unknown key */
#define SECOND_US    INT64_C(1000000)

typedef struct root_key {
    char id[AUTH_KEY_ID_SIZE];
    uint8_t key[AUTH_KEY_BYTES];
    int64_t created_s;
} root_key;

/* All that a file says. */
typedef struct key_list {
    root_key keys[KEYS_MAX];
    size_t count;
} key_list;

struct auth_keys {
    const env *env;
    const char *path;
    pthread_mutex_t lock; /* all below */
    key_list list;
    struct timespec mtime; /* of the file that list came from */
    ino_t inode;
    int64_t looked_us; /* on the monotonic clock */
};

static const char *const LABELS[] = {
    [AUTH_FOR_ACCESS] = "lumilio access token",
    [AUTH_FOR_REFRESH] = "lumilio refresh token",
    [AUTH_FOR_LIMITS] = "lumilio attempt limits",
};

void auth_secret_wipe(auth_secret *secret)
{
    explicit_bzero(secret, sizeof *secret);
}

/* HKDF (RFC 5869) with the purpose as its info: who learns one derived key learns no other. */
static pgc_status derive(const root_key *root, auth_purpose purpose, auth_secret *out,
                         pgc_error *err)
{
    const char *label = LABELS[purpose];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]) { "SHA256" }, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *) (uintptr_t) root->key,
                                          sizeof root->key),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *) (uintptr_t) label,
                                          strlen(label)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    auth_secret secret = { .created_us = root->created_s * SECOND_US, .retired_us = INT64_MAX };
    bool done = ctx != NULL && EVP_KDF_derive(ctx, secret.key, sizeof secret.key, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    if (!done) {
        return pgc_error_set(err, PGC_NOMEM, "derive a key: OpenSSL's HKDF failed");
    }
    memcpy(secret.id, root->id, sizeof secret.id);
    *out = secret;
    explicit_bzero(&secret, sizeof secret);
    return PGC_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (hex_digit(text.ptr[i]) < 0) {
            return false;
        }
    }
    return true;
}

/* One line of the file; false when it is not as we write it. */
static bool line_parse(slice line, root_key *out)
{
    slice rest = line;
    slice id = slice_next(&rest, ' ');
    slice created = slice_next(&rest, ' ');
    int64_t seconds = 0;
    if (id.len != AUTH_KEY_ID_SIZE - 1 || !is_hex(id) || !slice_to_i64(created, &seconds) ||
        seconds < 0 || seconds > INT64_MAX / SECOND_US || rest.len != (size_t) AUTH_KEY_BYTES * 2 ||
        !is_hex(rest)) {
        return false;
    }
    memcpy(out->id, id.ptr, id.len);
    out->id[id.len] = '\0';
    out->created_s = seconds;
    for (size_t i = 0; i < AUTH_KEY_BYTES; i++) {
        out->key[i] = (uint8_t) (hex_digit(rest.ptr[2 * i]) * 16 + hex_digit(rest.ptr[2 * i + 1]));
    }
    return true;
}

static pgc_status text_parse(slice text, key_list *out, pgc_error *err)
{
    slice rest = text;
    bool good = slice_eq(slice_next(&rest, '\n'), SLICE(HEADER)) && slice_ends(text, SLICE("\n"));
    out->count = 0;
    while (good && rest.len > 0) {
        good = out->count < KEYS_MAX && line_parse(slice_next(&rest, '\n'), &out->keys[out->count]);
        out->count += good ? 1 : 0;
    }
    if (!good || out->count == 0) {
        return pgc_error_set(err, PGC_INVALID,
                             "the file is damaged; restore it, or remove it to end all sessions");
    }
    return PGC_OK;
}

/* Read what belongs to us alone; *info tells the file version apart from the next. */
static pgc_status file_load(auth_keys *keys, key_list *out, struct stat *info, pgc_error *err)
{
    const vfs *fs = keys->env->fs;
    char bytes[FILE_MAX];
    int fd = fs->openat(fs->ctx, AT_FDCWD, keys->path, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0 && errno == ENOENT) {
        return pgc_error_set(err, PGC_NOT_FOUND, "there is no such file");
    }
    if (fd < 0) {
        return pgc_error_errno(err, errno, "open it");
    }
    pgc_status status = PGC_OK;
    size_t used = 0;
    if (fs->fstat(fs->ctx, fd, info) != 0) {
        status = pgc_error_errno(err, errno, "look at it");
    } else if (!S_ISREG(info->st_mode) || (info->st_mode & 077) != 0 ||
               (info->st_uid != geteuid() && info->st_uid != 0)) {
        status = pgc_error_set(err, PGC_DENIED, "others may read or replace it");
        pgc_error_hint(err, "make it yours alone: chmod 600, and rotate the key");
    }
    while (status == PGC_OK && used < sizeof bytes) {
        ssize_t got = fs->read(fs->ctx, fd, bytes + used, sizeof bytes - used);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            used += (size_t) got;
        } else if (errno != EINTR) {
            status = pgc_error_errno(err, errno, "read it");
        }
    }
    (void) fs->close(fs->ctx, fd);
    if (status == PGC_OK) {
        status = text_parse((slice) { bytes, used }, out, err);
    }
    explicit_bzero(bytes, sizeof bytes);
    return status;
}

/* Under the lock: take the file when it is another one than before. */
static pgc_status look_again(auth_keys *keys, int64_t after_us, pgc_error *err)
{
    const clock_ops *clock = keys->env->clock;
    int64_t now_us = clock->mono_us(clock->ctx);
    struct stat info;
    if (keys->list.count > 0 && now_us - keys->looked_us < after_us) {
        return PGC_OK;
    }
    if (keys->list.count > 0 &&
        keys->env->fs->fstatat(keys->env->fs->ctx, AT_FDCWD, keys->path, &info, 0) == 0 &&
        info.st_ino == keys->inode && info.st_mtim.tv_sec == keys->mtime.tv_sec &&
        info.st_mtim.tv_nsec == keys->mtime.tv_nsec) {
        keys->looked_us = now_us;
        return PGC_OK;
    }
    key_list fresh = { .count = 0 };
    pgc_status status = file_load(keys, &fresh, &info, err);
    if (status == PGC_OK) {
        keys->list = fresh;
        keys->inode = info.st_ino;
        keys->mtime = info.st_mtim;
        keys->looked_us = now_us;
    }
    explicit_bzero(&fresh, sizeof fresh);
    return status;
}

static pgc_status key_make(const env *e, root_key *out, pgc_error *err)
{
    uint8_t id[AUTH_KEY_ID_BYTES];
    if (!e->clock->random(e->clock->ctx, id, sizeof id) ||
        !e->clock->random(e->clock->ctx, out->key, sizeof out->key)) {
        return pgc_error_set(err, PGC_IO, "make a key: no random numbers to be had");
    }
    for (size_t i = 0; i < sizeof id; i++) {
        (void) snprintf(out->id + 2 * i, 3, "%02x", (unsigned) id[i]);
    }
    out->created_s = e->clock->unix_us(e->clock->ctx) / SECOND_US;
    return PGC_OK;
}

static pgc_status file_store(auth_keys *keys, const key_list *list, pgc_error *err)
{
    char bytes[FILE_MAX];
    size_t used = (size_t) snprintf(bytes, sizeof bytes, HEADER "\n");
    for (size_t i = 0; i < list->count; i++) {
        used += (size_t) snprintf(bytes + used, sizeof bytes - used, "%s %" PRId64 " ",
                                  list->keys[i].id, list->keys[i].created_s);
        for (size_t j = 0; j < AUTH_KEY_BYTES; j++) {
            used += (size_t) snprintf(bytes + used, sizeof bytes - used, "%02x",
                                      (unsigned) list->keys[i].key[j]);
        }
        bytes[used++] = '\n';
    }
    assert(used < sizeof bytes);
    pgc_status status =
        file_write_atomic(keys->env, AT_FDCWD, keys->path, (slice) { bytes, used }, 0600, err);
    explicit_bzero(bytes, sizeof bytes);
    return status;
}

/* Retired for too long, from the oldest on; room is left for one more. */
static void list_prune(key_list *list, int64_t now_s, int64_t keep_s)
{
    size_t gone = 0;
    while (list->count - gone > 1 &&
           (list->count - gone >= KEYS_MAX || now_s - list->keys[gone + 1].created_s > keep_s)) {
        gone++;
    }
    memmove(list->keys, list->keys + gone, (list->count - gone) * sizeof list->keys[0]);
    list->count -= gone;
}

/* Under the file's lock: what is there, and one key more. keep_us < 0: only when there is none. */
static pgc_status file_add_key(auth_keys *keys, int64_t keep_us, pgc_error *err)
{
    key_list list = { .count = 0 };
    struct stat info;
    pgc_status status = file_load(keys, &list, &info, err);
    if (status == PGC_NOT_FOUND || (status == PGC_OK && keep_us >= 0)) {
        status = key_make(keys->env, &list.keys[list.count < KEYS_MAX ? list.count : 0], err);
        if (status == PGC_OK && list.count == KEYS_MAX) {
            status = pgc_error_set(err, PGC_LIMIT, "it holds %d keys already", KEYS_MAX);
        } else if (status == PGC_OK) {
            list.count++;
            list_prune(&list, list.keys[list.count - 1].created_s, keep_us / SECOND_US);
            status = file_store(keys, &list, err);
        }
    }
    explicit_bzero(&list, sizeof list);
    return status;
}

static pgc_status locked_add_key(auth_keys *keys, int64_t keep_us, pgc_error *err)
{
    const vfs *fs = keys->env->fs;
    char lock_path[PATH_MAX];
    if (snprintf(lock_path, sizeof lock_path, "%s.lock", keys->path) >= (int) sizeof lock_path) {
        return pgc_error_set(err, PGC_INVALID, "path is too long");
    }
    int fd = fs->openat(fs->ctx, AT_FDCWD, lock_path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "open its lock");
    }
    int locked = 0;
    do {
        locked = fs->flock(fs->ctx, fd, LOCK_EX);
    } while (locked != 0 && errno == EINTR);
    pgc_status status =
        locked == 0 ? file_add_key(keys, keep_us, err) : pgc_error_errno(err, errno, "lock it");
    (void) fs->close(fs->ctx, fd);
    return status;
}

pgc_status auth_keys_open(const env *e, const char *path, auth_keys **out, pgc_error *err)
{
    auth_keys *keys = MEM_NEW(e->alloc, auth_keys);
    if (keys == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open key file %s", path);
    }
    keys->env = e;
    keys->path = path;
    if (pthread_mutex_init(&keys->lock, NULL) != 0) {
        mem_free(e->alloc, keys, sizeof *keys);
        return pgc_error_set(err, PGC_NOMEM, "open key file %s", path);
    }
    pgc_status status = look_again(keys, 0, err);
    if (status == PGC_NOT_FOUND) {
        status = locked_add_key(keys, -1, err);
        if (status == PGC_OK) {
            status = look_again(keys, 0, err);
        }
    }
    if (status != PGC_OK) {
        auth_keys_close(keys);
        return pgc_error_wrap(err, status, "key file %s", path);
    }
    pgc_error_clear(err);
    *out = keys;
    return PGC_OK;
}

void auth_keys_close(auth_keys *keys)
{
    if (keys != NULL) {
        const pgc_alloc *alloc = keys->env->alloc;
        (void) pthread_mutex_destroy(&keys->lock);
        explicit_bzero(keys, sizeof *keys);
        mem_free(alloc, keys, sizeof *keys);
    }
}

/* Under the lock. */
static pgc_status secret_at(const auth_keys *keys, size_t index, auth_purpose purpose,
                            auth_secret *out, pgc_error *err)
{
    assert(index < keys->list.count);
    TRY(derive(&keys->list.keys[index], purpose, out, err));
    if (index + 1 < keys->list.count) {
        out->retired_us = keys->list.keys[index + 1].created_s * SECOND_US;
    }
    return PGC_OK;
}

pgc_status auth_keys_newest(auth_keys *keys, auth_purpose purpose, auth_secret *out, pgc_error *err)
{
    (void) pthread_mutex_lock(&keys->lock);
    pgc_status status = look_again(keys, LOOK_US, err);
    if (status == PGC_OK) {
        status = secret_at(keys, keys->list.count - 1, purpose, out, err);
    }
    (void) pthread_mutex_unlock(&keys->lock);
    return pgc_error_wrap(err, status, "key file %s", keys->path);
}

pgc_status auth_keys_oldest(auth_keys *keys, auth_purpose purpose, auth_secret *out, pgc_error *err)
{
    (void) pthread_mutex_lock(&keys->lock);
    pgc_status status = secret_at(keys, 0, purpose, out, err);
    (void) pthread_mutex_unlock(&keys->lock);
    return pgc_error_wrap(err, status, "key file %s", keys->path);
}

/* Index of an id; the count when there is none. */
static size_t index_of(const auth_keys *keys, slice id)
{
    size_t i = 0;
    while (i < keys->list.count && !slice_eq_str(id, keys->list.keys[i].id)) {
        i++;
    }
    return i;
}

pgc_status auth_keys_find(auth_keys *keys, slice id, auth_purpose purpose, auth_secret *out,
                          pgc_error *err)
{
    (void) pthread_mutex_lock(&keys->lock);
    size_t index = index_of(keys, id);
    pgc_status status = PGC_OK;
    if (index == keys->list.count) {
        status = look_again(keys, LOOK_SOON_US, err);
        index = index_of(keys, id);
    }
    if (status == PGC_OK) {
        status = index < keys->list.count
                     ? secret_at(keys, index, purpose, out, err)
                     : pgc_error_set(err, PGC_NOT_FOUND, "there is no such key");
    }
    (void) pthread_mutex_unlock(&keys->lock);
    return pgc_error_wrap(err, status, "key file %s", keys->path);
}

pgc_status auth_keys_rotate(auth_keys *keys, int64_t keep_us, pgc_error *err)
{
    (void) pthread_mutex_lock(&keys->lock);
    pgc_status status = locked_add_key(keys, keep_us, err);
    if (status == PGC_OK) {
        status = look_again(keys, 0, err);
    }
    (void) pthread_mutex_unlock(&keys->lock);
    return pgc_error_wrap(err, status, "rotate key file %s", keys->path);
}

size_t auth_keys_count(auth_keys *keys)
{
    (void) pthread_mutex_lock(&keys->lock);
    size_t count = keys->list.count;
    (void) pthread_mutex_unlock(&keys->lock);
    return count;
}
