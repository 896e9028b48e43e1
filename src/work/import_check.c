/* Comparing rows and files of a repository: every row has its file (CS-I1), every file has a row
 * or an open intent (CS-I2). Reads only. Paths of all rows are held in memory, about 150 bytes
 * each. */
#include "base/prelude.h"

#include "work/import_internal.h"

#include <fcntl.h>

#include "base/arena.h"
#include "base/file.h"
#include "work/walk.h"

#define BATCH 1000 /* rows read at once */

/* A file that some row stands for. */
typedef struct known_file {
    const char *path; /* relative to the repository */
    const char *hash; /* NULL for thumbnails */
    int64_t size;     /* bytes; -1 unknown */
    bool seen;
} known_file;

typedef struct check_state {
    const import_target *target;
    arena *mem;
    known_file *files;
    size_t count, size;
    bool hashes;
    import_fsck *found;
    pgc_error *err;
    pgc_status status; /* first failure inside a callback */
} check_state;

/* Grows by doubling inside the arena: the old halves stay until the end, at most as much again.
 * */
static pgc_status known_add(check_state *state, slice path, slice hash, int64_t size,
                            pgc_error *err)
{
    if (state->count == state->size) {
        size_t wanted = state->size == 0 ? BATCH : state->size * 2;
        known_file *larger = ARENA_ARRAY(state->mem, wanted, known_file);
        if (larger == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "list files");
        }
        if (state->count > 0) {
            memcpy(larger, state->files, state->count * sizeof *larger);
        }
        state->files = larger;
        state->size = wanted;
    }
    known_file *file = &state->files[state->count];
    *file = (known_file) { .path = arena_copy(state->mem, path),
                           .hash = hash.ptr != NULL ? arena_copy(state->mem, hash) : NULL,
                           .size = size };
    if (file->path == NULL || (hash.ptr != NULL && file->hash == NULL)) {
        return pgc_error_set(err, PGC_NOMEM, "list files");
    }
    state->count++;
    return PGC_OK;
}

/* Trash included: its files stay until they are purged. */
static pgc_status assets_load(check_state *state, pgc_error *err)
{
    repo_list_asset_files_params params = { .repository_id = state->target->repository_id,
                                            .row_limit = BATCH };
    lum_actor actor = lum_session_actor(state->target->session);
    for (size_t count = BATCH; count == BATCH;) {
        repo_list_asset_files_row_set set = PGC_ZERO;
        TRY(repo_list_asset_files(actor.db, &params, &set, err));
        pgc_status status = PGC_OK;
        count = set.count;
        for (size_t i = 0; status == PGC_OK && i < count; i++) {
            status = known_add(state, set.rows[i].file_path, set.rows[i].file_hash,
                               set.rows[i].file_size, err);
            params.after_asset_id = set.rows[i].asset_id;
        }
        repo_list_asset_files_row_set_free(&set);
        TRY(status);
        state->found->assets += count;
    }
    return PGC_OK;
}

/* Thumbnails carry no hash: they can be made again. */
static pgc_status thumbnails_load(check_state *state, pgc_error *err)
{
    repo_list_thumbnail_files_params params = { .repository_id = state->target->repository_id,
                                                .row_limit = BATCH };
    lum_actor actor = lum_session_actor(state->target->session);
    for (size_t count = BATCH; count == BATCH;) {
        repo_list_thumbnail_files_row_set set = PGC_ZERO;
        TRY(repo_list_thumbnail_files(actor.db, &params, &set, err));
        pgc_status status = PGC_OK;
        count = set.count;
        for (size_t i = 0; status == PGC_OK && i < count; i++) {
            const pgc_opt_i64 size = set.rows[i].file_size;
            status = known_add(state, set.rows[i].file_path, (slice) { NULL, 0 },
                               size.has ? size.v : -1, err);
            params.after_asset_id = set.rows[i].asset_id;
            params.after_thumbnail_id = set.rows[i].thumbnail_id;
        }
        repo_list_thumbnail_files_row_set_free(&set);
        TRY(status);
    }
    return PGC_OK;
}

/* Bytes, as the walk sorts; the database's collation plays no part. */
static int path_compare(const void *a, const void *b)
{
    return strcmp(((const known_file *) a)->path, ((const known_file *) b)->path);
}

/* Size and, when wanted, content of a file that a row stands for. */
static pgc_status known_compare(check_state *state, known_file *file, pgc_error *err)
{
    const env *e = state->target->env;
    struct stat info;
    char hash[STAGE_HASH_SIZE];
    int64_t size = 0;
    AUTO(fd_auto)
    int fd = e->fs->open_beneath(e->fs->ctx, state->target->root, file->path,
                                 O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0 || e->fs->fstat(e->fs->ctx, fd, &info) != 0) {
        return PGC_OK; /* counted as a row without file */
    }
    file->seen = true;
    if (file->size >= 0 && info.st_size != file->size) {
        state->found->size_mismatch++;
    } else if (state->hashes && file->hash != NULL) {
        TRY(stage_hash_fd(e, fd, hash, &size, err));
        state->found->hash_mismatch += strcmp(hash, file->hash) == 0 ? 0 : 1;
    }
    return PGC_OK;
}

/* A file on the disk: one of the known ones, one of an open intent, one that waits for its removal,
 * or nobody's. */
static pgc_status on_file(void *arg, const char *path, pgc_error *err)
{
    check_state *state = arg;
    const known_file key = { .path = path + strlen(state->target->root_path) + 1 };
    state->found->files++;
    known_file *file = state->count == 0
                           ? NULL
                           : bsearch(&key, state->files, state->count, sizeof key, path_compare);
    if (file != NULL) {
        return file->seen ? PGC_OK : known_compare(state, file, err);
    }
    bool used = false;
    const repo_is_path_used_params params = {
        .repository_id = state->target->repository_id,
        .file_path = pgc_text_from(key.path),
    };
    lum_actor actor = lum_session_actor(state->target->session);
    TRY(repo_is_path_used(actor.db, &params, &used, err));
    if (!used) {
        const repo_is_file_deletion_waiting_params waiting = { .repository_id =
                                                                   params.repository_id,
                                                               .file_path = params.file_path };
        TRY(repo_is_file_deletion_waiting(actor.db, &waiting, &used, err));
    }
    state->found->files_without_row += used ? 0 : 1;
    return PGC_OK;
}

/* Links, devices and odd names have no business in a repository. */
static void on_skipped(void *arg, const char *path, const char *reason)
{
    check_state *state = arg;
    (void) path;
    (void) reason;
    state->found->files++;
    state->found->files_without_row++;
}

/* A folder that cannot be read makes the comparison worthless: rows in it would count as lost. */
static void on_failed(void *arg, const char *path, const char *reason)
{
    check_state *state = arg;
    if (state->status == PGC_OK) {
        state->status = pgc_error_set(state->err, PGC_IO, "%s: %s", path, reason);
    }
}

/* Staging is left out: what lies there has no name to compare. */
static pgc_status files_walk(check_state *state, pgc_error *err)
{
    static const char *const FOLDERS[] = { "inbox", ".lumilio/assets" };
    const walk_sink sink = {
        .arg = state, .file = on_file, .skipped = on_skipped, .failed = on_failed
    };
    for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", state->target->root_path, FOLDERS[i]);
        if (length < 0 || (size_t) length >= sizeof path) {
            return pgc_error_set(err, PGC_LIMIT, "path of the repository is too long");
        }
        TRY(walk_path(state->target->env, path, (walk_exclude) { 0, 0 }, &sink, err));
    }
    return state->status;
}

/* Sort by path; rows that share a file (one of them in the trash) become one entry. */
static void known_sort(check_state *state)
{
    size_t kept = 0;
    if (state->count > 1) {
        qsort(state->files, state->count, sizeof *state->files, path_compare);
    }
    for (size_t i = 0; i < state->count; i++) {
        if (kept == 0 || path_compare(&state->files[kept - 1], &state->files[i]) != 0) {
            state->files[kept++] = state->files[i];
        }
    }
    state->count = kept;
}

/* Rows first: a file that an import adds meanwhile is then looked up in the database, not missed.
 * */
static pgc_status check_run(check_state *state, pgc_error *err)
{
    TRY(assets_load(state, err));
    TRY(thumbnails_load(state, err));
    known_sort(state);
    TRY(files_walk(state, err));
    for (size_t i = 0; i < state->count; i++) {
        state->found->rows_without_file += state->files[i].seen ? 0 : 1;
    }
    return PGC_OK;
}

pgc_status import_check(lum_library *library, lum_session *session, bool hashes, import_fsck *out,
                        pgc_error *err)
{
    import_target target;
    import_fsck found = { 0 };
    TRY(import_target_open(library, session, &target, err));
    check_state state = { .target = &target,
                          .mem = arena_new(target.env->alloc, 1 << 20, 0),
                          .hashes = hashes,
                          .found = &found,
                          .err = err };
    pgc_status status = state.mem == NULL ? pgc_error_set(err, PGC_NOMEM, "compare rows and files")
                                          : check_run(&state, err);
    arena_free(state.mem);
    import_target_close(&target);
    if (status == PGC_OK) {
        *out = found;
    }
    return pgc_error_wrap(err, status, "compare rows and files");
}
