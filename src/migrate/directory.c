/* Reads a migration directory, from disk or from the table compiled into the program, and cuts file
 * names. Invariant: files are sorted by name, byte by byte, as Atlas sorts them. One thread per
 * call. */
#include "base/prelude.h"

#include "migrate/directory.h"

#include <fcntl.h>

#include "base/file.h"
#include "migrate/directive.h"
#include "migrate/sum.h"

#define FILE_BYTES_MAX ((size_t) 64 << 20) /* a dump fits, a mistake does not */
#define FILE_COUNT_MAX 100000u             /* names are compared pairwise */
#define SUFFIX         ".sql"

typedef struct loader {
    const env *env;
    const migrate_source *source; /* a folder or a table */
    arena *mem;
    migrate_dir dir; /* grows in mem; earlier, smaller lists stay there until the end */
    size_t cap;      /* of dir.files */
    pgc_error *err;
} loader;

/* The version is an opaque text: it is never read as a number. */
void migrate_name_cut(const char *name, arena *mem, const char **version, const char **description)
{
    slice whole = pgc_text_from(name);
    slice stem = whole;
    if (slice_ends(stem, SLICE(SUFFIX))) {
        stem.len -= strlen(SUFFIX);
    }
    size_t cut = slice_find(stem, '_', 0);
    *version = arena_copy(mem, slice_sub(stem, 0, cut));
    *description = cut == SIZE_MAX ? "" : arena_copy(mem, slice_sub(stem, cut + 1, stem.len));
    if (*version == NULL || *description == NULL) {
        *version = *description = NULL;
    }
}

/* Keep one file; its name is copied, its content is not. */
static pgc_status add_file(loader *l, const char *name, slice content)
{
    if (l->dir.file_count == l->cap) {
        size_t cap = l->cap == 0 ? 32 : l->cap * 2;
        migrate_file *grown = ARENA_ARRAY(l->mem, cap, migrate_file);
        if (grown == NULL) {
            return pgc_error_set(l->err, PGC_NOMEM, "list migration files");
        }
        if (l->dir.file_count > 0) {
            memcpy(grown, l->dir.files, l->dir.file_count * sizeof *grown);
        }
        l->dir.files = grown;
        l->cap = cap;
    }
    if (l->dir.file_count == FILE_COUNT_MAX) {
        return pgc_error_set(l->err, PGC_LIMIT, "more than %u migration files", FILE_COUNT_MAX);
    }
    migrate_file file = { .name = arena_strdup(l->mem, name), .content = content };
    migrate_name_cut(name, l->mem, &file.version, &file.description);
    if (file.name == NULL || file.version == NULL) {
        return pgc_error_set(l->err, PGC_NOMEM, "list migration files");
    }
    file.is_checkpoint = migrate_header_find(content, SLICE("checkpoint"), NULL) > 0;
    l->dir.files[l->dir.file_count++] = file;
    return PGC_OK;
}

/* Names are compared byte by byte: "X.SQL" is no migration, ".sql" is one. */
static bool is_migration(const char *name)
{
    return slice_ends(pgc_text_from(name), SLICE(SUFFIX));
}

/* A folder that is named like a migration makes this fail, as it should. */
static pgc_status read_into(loader *l, int fd, const char *name, slice *out)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, l->env->alloc, FILE_BYTES_MAX);
    pgc_status status = file_read(l->env, fd, name, &text, l->err);
    if (status != PGC_OK) {
        return pgc_error_wrap(l->err, status, "read migration file %s/%s", l->source->dir, name);
    }
    slice view = buf_view(&text);
    char *copy = arena_copy(l->mem, view);
    if (copy == NULL) {
        return pgc_error_set(l->err, PGC_NOMEM, "read migration file %s/%s", l->source->dir, name);
    }
    *out = (slice) { copy, view.len };
    return PGC_OK;
}

/* Anything that is neither a migration nor the sum file is left alone: README, sub-folders, editor
 * files. Down scripts live in a sub-folder for that reason. */
static pgc_status read_entry(loader *l, int fd, const char *name)
{
    slice content;
    if (strcmp(name, MIGRATE_SUM_NAME) == 0) {
        return read_into(l, fd, name, &l->dir.sum_text);
    }
    if (!is_migration(name)) {
        return PGC_OK;
    }
    TRY(read_into(l, fd, name, &content));
    return add_file(l, name, content);
}

/* One level only; symbolic links are followed when a file is read. */
static pgc_status load_folder(loader *l)
{
    const vfs *fs = l->env->fs;
    AUTO(fd_auto)
    int fd = fs->openat(fs->ctx, AT_FDCWD, l->source->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0 && errno == ENOENT) {
        return pgc_error_set(l->err, PGC_NOT_FOUND, "migration directory %s: no such folder",
                             l->source->dir);
    }
    if (fd < 0) {
        return pgc_error_errno(l->err, errno, "open migration directory %s", l->source->dir);
    }
    file_dir listing;
    file_dir_init(&listing, l->env, fd);
    for (;;) {
        file_entry entry;
        TRY(file_dir_next(&listing, &entry, l->err));
        if (entry.name == NULL) {
            return PGC_OK;
        }
        TRY(read_entry(l, fd, entry.name));
    }
}

/* The compiled-in files: contents stay where they are, in the program's read-only data. */
static pgc_status load_table(loader *l)
{
    for (size_t i = 0; i < l->source->file_count; i++) {
        const migrate_embedded *file = &l->source->files[i];
        slice content = { file->content, file->size };
        if (strcmp(file->name, MIGRATE_SUM_NAME) == 0) {
            l->dir.sum_text = content;
        } else if (is_migration(file->name)) {
            TRY(add_file(l, file->name, content));
        }
    }
    return PGC_OK;
}

/* Byte order of whole names, not of versions: "10_y" comes before "1_x". */
static int by_name(const void *a, const void *b)
{
    const migrate_file *x = a;
    const migrate_file *y = b;
    return strcmp(x->name, y->name);
}

/* Hashes are computed here once, because the sum file, the revision rows and status all need them.
 */
pgc_status migrate_dir_load(const env *e, const migrate_source *source, arena *mem,
                            migrate_dir *out, pgc_error *err)
{
    assert(source->dir != NULL || source->files != NULL || source->file_count == 0);
    loader l = { .env = e, .source = source, .mem = mem, .err = err };
    if (source->dir != NULL) {
        l.dir.path = arena_strdup(mem, source->dir);
        if (l.dir.path == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "load migration directory");
        }
        TRY(load_folder(&l));
    } else {
        TRY(load_table(&l));
    }
    if (l.dir.file_count > 1) {
        qsort(l.dir.files, l.dir.file_count, sizeof *l.dir.files, by_name);
    }
    TRY(migrate_sum_fill(l.dir.files, l.dir.file_count, mem, err));
    *out = l.dir;
    return PGC_OK;
}

/* Names that Atlas accepts and then stumbles over: it crashes on the second file of a version. */
pgc_status migrate_dir_check(const migrate_dir *dir, pgc_error *err)
{
    for (size_t i = 0; i < dir->file_count; i++) {
        const migrate_file *file = &dir->files[i];
        if (file->version[0] == '\0') {
            return pgc_error_set(err, PGC_INVALID,
                                 "migration file \"%s\" has no version: name it VERSION_NAME.sql",
                                 file->name);
        }
        if (file->version[0] == '.') {
            return pgc_error_set(err, PGC_INVALID,
                                 "migration file \"%s\": versions must not begin with a dot",
                                 file->name);
        }
        if (strstr(file->name, "h1:") != NULL) {
            return pgc_error_set(err, PGC_INVALID,
                                 "migration file \"%s\": a name with \"h1:\" in it cannot stand in "
                                 "atlas.sum",
                                 file->name);
        }
        /* Files of one version need not be neighbours: "1.sql", "10_y.sql", "1_x.sql". */
        for (size_t k = i + 1; k < dir->file_count; k++) {
            if (strcmp(file->version, dir->files[k].version) == 0) {
                return pgc_error_set(err, PGC_INVALID,
                                     "migration files \"%s\" and \"%s\" have the same version "
                                     "\"%s\": rename one of them and hash the directory anew",
                                     file->name, dir->files[k].name, file->version);
            }
        }
    }
    return PGC_OK;
}

const migrate_file *migrate_dir_find(const migrate_dir *dir, const char *version)
{
    assert(version != NULL);
    for (size_t i = dir->file_count; i-- > 0;) {
        if (strcmp(dir->files[i].version, version) == 0) {
            return &dir->files[i];
        }
    }
    return NULL;
}
