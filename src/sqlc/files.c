/* Finding and reading the files that a config names. Order matters: schema files are applied in the
 * order found. Path rules follow sqlc (one level, *.sql, sorted by name). One thread. */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>

#include "base/file.h"
#include "sqlc/source.h"

/* The length of a character follows from its first byte; whether its tail is right is for
 * slice_is_utf8() to say. */
size_t source_bad_utf8(slice text)
{
    size_t i = 0;
    while (i < text.len) {
        size_t step = 1;
        unsigned char c = (unsigned char) text.ptr[i];
        step = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        if (!slice_is_utf8(slice_sub(text, i, i + step))) {
            return i;
        }
        i += step;
    }
    return text.len;
}

/* Dot files are editors' business, down scripts would undo the schema. Source: sqlc.md §1.2.
 * Case matters. */
static bool wanted_name(const char *name)
{
    slice s = { name, strlen(name) };
    return name[0] != '.' && slice_ends(s, SLICE(".sql")) && !slice_ends(s, SLICE(".down.sql"));
}

/* For qsort(): byte order, whatever the locale says. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Where messages point when a whole file is wrong. */
static diag *file_error(diag_list *diags, const char *path, const char *what)
{
    return diag_error_at(diags, path, 1, 1, "%s", what);
}

/* Files that cannot be read are the user's mistakes and are collected; only lack of memory ends
 * it. A path that is no regular file gives the system's own words. */
static pgc_status read_source(const env *sys, arena *mem, const char *full, const char *shown,
                              diag_list *diags, vec *out, pgc_error *err)
{
    AUTO(buf_auto) buf content;
    buf_init(&content, sys->alloc, SOURCE_FILE_MAX);
    pgc_error local = PGC_ZERO;
    pgc_status status = file_read(sys, AT_FDCWD, full, &content, &local);
    if (status != PGC_OK && status != PGC_NOMEM) {
        (void) file_error(diags, shown, local.message);
        return PGC_OK;
    }
    slice view = buf_view(&content);
    char *text = status == PGC_OK ? arena_copy(mem, view) : NULL;
    source_file *file = text == NULL ? NULL : VEC_ADD(mem, out, source_file);
    char *path = file == NULL ? NULL : arena_strdup(mem, shown);
    if (path == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "read \"%s\"", shown);
    }
    /* The mark that some editors put in front is no part of the text: neither of its columns nor of
     * what the server gets. */
    size_t mark = slice_starts(view, SLICE("\xEF\xBB\xBF")) ? 3 : 0;
    *file = (source_file) { .path = path, .text = { text + mark, view.len - mark } };
    size_t bad = source_bad_utf8(file->text);
    if (bad < file->text.len) {
        diag *d = diag_error(diags, file, bad, "invalid UTF-8");
        diag_hint(diags, d, "convert the file: iconv -f LATIN1 -t UTF-8");
        file->text.len = 0; /* nothing in it is looked at */
    }
    return PGC_OK;
}

/* Names wanted of one folder, sorted. names: of const char *. readdir() has no order of its own,
 * and schema files are applied in order. */
static pgc_status list_folder(const env *sys, arena *mem, const char *full, vec *names,
                              pgc_error *err)
{
    int fd = sys->fs->openat(sys->fs->ctx, AT_FDCWD, full, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        pgc_status status = pgc_error_errno(err, errno, "read folder \"%s\"", full);
        if (fd >= 0) {
            (void) sys->fs->close(sys->fs->ctx, fd);
        }
        return status;
    }
    pgc_status status = PGC_OK;
    for (struct dirent *entry = readdir(dir); entry != NULL && status == PGC_OK;
         entry = readdir(dir)) {
        if (!wanted_name(entry->d_name)) {
            continue;
        }
        const char **name = VEC_ADD(mem, names, const char *);
        char *copy = arena_strdup(mem, entry->d_name);
        if (name == NULL || copy == NULL) {
            status = pgc_error_set(err, PGC_NOMEM, "read folder \"%s\"", full);
        } else {
            *name = copy;
        }
    }
    (void) closedir(dir);
    if (status == PGC_OK && names->count > 1) {
        qsort(names->items, names->count, sizeof(const char *), compare_names);
    }
    return status;
}

/* One level deep, like upstream: folders with down scripts may lie below. Shown paths stay
 * relative to the config file, so messages and manifests are the same on every machine. */
static pgc_status load_folder(const env *sys, arena *mem, const char *full, const char *shown,
                              diag_list *diags, vec *out, pgc_error *err)
{
    vec names = { 0 };
    size_t len = strlen(shown);
    const char *gap = len > 0 && shown[len - 1] == '/' ? "" : "/";
    TRY(list_folder(sys, mem, full, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        const char *name = *VEC_AT(&names, const char *, i);
        char *full_name = arena_printf(mem, "%s/%s", full, name);
        char *shown_name = arena_printf(mem, "%s%s%s", shown, gap, name);
        if (full_name == NULL || shown_name == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "read folder \"%s\"", shown);
        }
        TRY(read_source(sys, mem, full_name, shown_name, diags, out, err));
    }
    return PGC_OK;
}

/* One existing path: folder or file. A path that is not there is an error: a typing mistake must
 * not look like an empty schema. */
static pgc_status load_path(const env *sys, arena *mem, const char *base, const char *full,
                            diag_list *diags, vec *out, pgc_error *err)
{
    struct stat st;
    size_t base_len = strlen(base);
    const char *shown = full;
    if (strncmp(full, base, base_len) == 0 && full[base_len] == '/') {
        shown = full + base_len + 1;
    }
    if (sys->fs->fstatat(sys->fs->ctx, AT_FDCWD, full, &st, 0) != 0) {
        pgc_error local = PGC_ZERO;
        (void) pgc_error_errno(&local, errno, "cannot read");
        diag *d = file_error(diags, shown, local.message);
        diag_hint(diags, d, "paths are relative to the folder of the config file");
        return PGC_OK;
    }
    return S_ISDIR(st.st_mode) ? load_folder(sys, mem, full, shown, diags, out, err)
                               : read_source(sys, mem, full, shown, diags, out, err);
}

static bool is_folder(const env *sys, const char *path)
{
    struct stat st;
    return sys->fs->fstatat(sys->fs->ctx, AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* A pattern that matches nothing is fine. Folders that match give their files, as upstream has
 * it; other names must end in .sql like those of a folder.
 *
 *     db/[0-9]?.sql   the files that match
 *     modules/?       files of the folders that match, and .sql files beside them */
static pgc_status load_pattern(const env *sys, arena *mem, const char *base, const char *full,
                               diag_list *diags, vec *out, pgc_error *err)
{
    glob_t found;
    pgc_status status = PGC_OK;
    int rc = glob(full, 0, NULL, &found);
    if (rc == GLOB_NOSPACE) {
        return pgc_error_set(err, PGC_NOMEM, "expand \"%s\"", full);
    }
    for (size_t i = 0; rc == 0 && i < found.gl_pathc && status == PGC_OK; i++) {
        char *path = arena_strdup(mem, found.gl_pathv[i]);
        if (path == NULL) {
            status = pgc_error_set(err, PGC_NOMEM, "expand \"%s\"", full);
        } else if (wanted_name(source_base_name(path)) || is_folder(sys, path)) {
            status = load_path(sys, mem, base, path, diags, out, err);
        }
    }
    globfree(&found);
    return status;
}

/* Duplicates stay: applying a file twice is the user's order. */
pgc_status source_load(const env *sys, arena *mem, const char *base, const vec *paths,
                       diag_list *diags, vec *out, pgc_error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = *VEC_AT(paths, const char *, i);
        char *full =
            path[0] == '/' ? arena_strdup(mem, path) : arena_printf(mem, "%s/%s", base, path);
        if (full == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "read \"%s\"", path);
        }
        size_t len = strlen(full);
        while (len > 1 && full[len - 1] == '/') {
            full[--len] = '\0';
        }
        if (strpbrk(path, "*?[]") != NULL) {
            TRY(load_pattern(sys, mem, base, full, diags, out, err));
        } else {
            TRY(load_path(sys, mem, base, full, diags, out, err));
        }
    }
    return PGC_OK;
}
