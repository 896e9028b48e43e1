/* Finding the files of an import. Folders wait on a list of our own, so that a deep tree costs no
 * stack; a folder is entered once by (device, inode), so that bind mounts cannot make it endless.
 */
#include "base/prelude.h"

#include "work/walk.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/list.h"

/* Droppings of other programs: photo-library.md §6.2, the list of L25. */
static const char *const IGNORED[] = {
    ".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini", "*.tmp", "*.temp",    "*.part",
    "*.partial", "*.swp",     "*.swo",       "*~",          "~$*",   ".lumilio*", "._*",
};
static const char *const IGNORED_FOLDERS[] = {
    ".lumilio",        ".Trash",     ".Trashes", ".fseventsd", ".Spotlight-V100",
    ".TemporaryItems", "lost+found", "@eaDir",   ".git",
};

/* A folder that waits to be read. */
typedef struct walk_folder {
    list_node node;
    size_t depth, size;
    char path[];
} walk_folder;

typedef struct walk {
    const env *env;
    walk_exclude exclude;
    const walk_sink *sink;
    list_node waiting; /* of walk_folder; the next one to read stands first */
    walk_exclude *seen;
    size_t seen_count, seen_size;
} walk;

/* Names of one folder in byte order. */
typedef struct walk_names {
    char **items;
    size_t count, size;
} walk_names;

/* The lists are short and names many; fnmatch() is fast enough beside the system calls. */
static bool matches(const char *const *patterns, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (fnmatch(patterns[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Not strerror(): several threads may ask. */
static const char *reason_text(int os_errno)
{
    const char *text = strerrordesc_np(os_errno);
    return text != NULL ? text : "unknown error";
}

/* What people call it, for the list of what was skipped. */
static const char *kind_text(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFLNK:
        return "symbolic link, not followed";
    case S_IFIFO:
        return "named pipe";
    case S_IFSOCK:
        return "socket";
    case S_IFCHR:
    case S_IFBLK:
        return "device";
    default:
        return "not a regular file";
    }
}

/* One allocation for the node and its path. */
static walk_folder *folder_new(const env *e, const char *parent, const char *name, size_t depth)
{
    size_t size = sizeof(walk_folder) + strlen(parent) + strlen(name) + 2;
    walk_folder *folder = mem_new(e->alloc, size);
    if (folder != NULL) {
        const char *slash = name[0] == '\0' || parent[strlen(parent) - 1] == '/' ? "" : "/";
        folder->depth = depth;
        folder->size = size;
        (void) snprintf(folder->path, size - sizeof *folder, "%s%s%s", parent, slash, name);
    }
    return folder;
}

/* Grow an array of `size` items to hold one more; false when memory is exhausted. */
static bool grow(const env *e, void *items_pointer, size_t item_size, size_t count, size_t *size)
{
    void *items;
    memcpy(&items, items_pointer, sizeof items);
    if (count < *size) {
        return true;
    }
    size_t wanted = *size == 0 ? 64 : *size * 2;
    void *larger = mem_resize(e->alloc, items, *size * item_size, wanted * item_size);
    if (larger == NULL) {
        return false;
    }
    memcpy(items_pointer, &larger, sizeof larger);
    *size = wanted;
    return true;
}

/* By device and inode: the library may be reached by many paths. */
static bool folder_is_excluded(const walk *w, const struct stat *info)
{
    return info->st_dev == w->exclude.device && info->st_ino == w->exclude.inode;
}

/* True for a folder that was entered before; else remembers it. */
static bool folder_is_known(walk *w, const struct stat *info, bool *no_memory)
{
    for (size_t i = 0; i < w->seen_count; i++) {
        if (w->seen[i].device == info->st_dev && w->seen[i].inode == info->st_ino) {
            return true;
        }
    }
    if (!grow(w->env, &w->seen, sizeof *w->seen, w->seen_count, &w->seen_size)) {
        *no_memory = true;
        return true;
    }
    w->seen[w->seen_count++] = (walk_exclude) { info->st_dev, info->st_ino };
    return false;
}

/* Byte order, so that a run is the same in every locale. */
static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void names_done(const env *e, walk_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        mem_free_str(e->alloc, names->items[i]);
    }
    mem_free(e->alloc, names->items, names->size * sizeof *names->items);
}

/* All names of an open folder, sorted. When reading fails *os_errno says why, and the names that
 * came before count. */
static pgc_status names_read(const env *e, int fd, walk_names *names, int *os_errno, pgc_error *err)
{
    file_dir reader;
    file_entry entry;
    pgc_error why;
    file_dir_init(&reader, e, fd);
    for (;;) {
        pgc_error_clear(&why);
        if (file_dir_next(&reader, &entry, &why) != PGC_OK) {
            *os_errno = why.os_errno;
            break;
        }
        if (entry.name == NULL) {
            break;
        }
        char *copy = mem_strdup(e->alloc, entry.name);
        if (copy == NULL ||
            !grow(e, &names->items, sizeof *names->items, names->count, &names->size)) {
            mem_free_str(e->alloc, copy);
            return pgc_error_set(err, PGC_NOMEM, "list a folder");
        }
        names->items[names->count++] = copy;
    }
    if (names->count > 1) {
        qsort(names->items, names->count, sizeof *names->items, name_compare);
    }
    return PGC_OK;
}

/* One name of a folder: to the sink, or to the waiting list (behind `after`). */
static pgc_status entry_visit(walk *w, const walk_folder *folder, const char *name,
                              list_node **after, pgc_error *err)
{
    walk_folder *entry = folder_new(w->env, folder->path, name, folder->depth + 1);
    if (entry == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "walk %s", folder->path);
    }
    struct stat info;
    pgc_status status = PGC_OK;
    if (w->env->fs->fstatat(w->env->fs->ctx, AT_FDCWD, entry->path, &info, AT_SYMLINK_NOFOLLOW) !=
        0) {
        w->sink->failed(w->sink->arg, entry->path, reason_text(errno));
    } else if (S_ISDIR(info.st_mode)) {
        if (matches(IGNORED_FOLDERS, ARRAY_LEN(IGNORED_FOLDERS), name)) {
            w->sink->skipped(w->sink->arg, entry->path, "folder of another program");
        } else if (entry->depth >= WALK_DEPTH_MAX) {
            w->sink->failed(w->sink->arg, entry->path, "folders are nested too deeply");
        } else {
            list_prepend(*after, &entry->node);
            *after = &entry->node;
            return PGC_OK;
        }
    } else if (!S_ISREG(info.st_mode)) {
        w->sink->skipped(w->sink->arg, entry->path, kind_text(info.st_mode));
    } else if (matches(IGNORED, ARRAY_LEN(IGNORED), name)) {
        w->sink->skipped(w->sink->arg, entry->path, "temporary or system file");
    } else {
        status = w->sink->file(w->sink->arg, entry->path, err);
    }
    mem_free(w->env->alloc, entry, entry->size);
    return status;
}

/* A folder that cannot be read is reported and passed over: the rest of the tree is still
 * wanted. */
static pgc_status folder_visit(walk *w, const walk_folder *folder, pgc_error *err)
{
    struct stat info;
    bool no_memory = false;
    int os_errno = 0;
    AUTO(fd_auto)
    int fd = w->env->fs->openat(w->env->fs->ctx, AT_FDCWD, folder->path,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0 || w->env->fs->fstat(w->env->fs->ctx, fd, &info) != 0) {
        w->sink->failed(w->sink->arg, folder->path, reason_text(errno));
        return PGC_OK;
    }
    if (folder_is_excluded(w, &info)) {
        w->sink->skipped(w->sink->arg, folder->path, "the library itself");
        return PGC_OK;
    }
    if (folder_is_known(w, &info, &no_memory)) {
        return no_memory ? pgc_error_set(err, PGC_NOMEM, "walk %s", folder->path) : PGC_OK;
    }
    walk_names names = { NULL, 0, 0 };
    pgc_status status = names_read(w->env, fd, &names, &os_errno, err);
    if (os_errno != 0) {
        w->sink->failed(w->sink->arg, folder->path, reason_text(os_errno));
    }
    fd_auto(&fd); /* what follows may take long */
    list_node *after = &w->waiting;
    for (size_t i = 0; status == PGC_OK && i < names.count; i++) {
        status = entry_visit(w, folder, names.items[i], &after, err);
    }
    names_done(w->env, &names);
    return status;
}

/* After a failure the list is only emptied. */
static pgc_status walk_folders(walk *w, pgc_error *err)
{
    pgc_status status = PGC_OK;
    while (!list_empty(&w->waiting)) {
        walk_folder *folder = CONTAINER_OF(w->waiting.next, walk_folder, node);
        list_remove(&folder->node);
        if (status == PGC_OK) {
            status = folder_visit(w, folder, err);
        }
        mem_free(w->env->alloc, folder, folder->size);
    }
    return status;
}

/* A link that the caller names is followed; links found on the way are not, as they may lead out
 * of the tree or in circles. */
pgc_status walk_path(const env *e, const char *path, walk_exclude exclude, const walk_sink *sink,
                     pgc_error *err)
{
    struct stat info;
    if (e->fs->fstatat(e->fs->ctx, AT_FDCWD, path, &info, 0) != 0) {
        sink->failed(sink->arg, path, reason_text(errno));
        return PGC_OK;
    }
    if (S_ISREG(info.st_mode)) {
        return sink->file(sink->arg, path, err);
    }
    if (!S_ISDIR(info.st_mode)) {
        sink->skipped(sink->arg, path, kind_text(info.st_mode));
        return PGC_OK;
    }
    walk w = { .env = e, .exclude = exclude, .sink = sink };
    list_init(&w.waiting);
    /* "DIR/." follows a link that the caller named himself, but none below it. */
    walk_folder *first = folder_new(e, path, ".", 0);
    if (first == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "walk %s", path);
    }
    first->path[strlen(first->path) - 1] = '\0'; /* keep the slash, which follows the link too */
    list_append(&w.waiting, &first->node);
    pgc_status status = walk_folders(&w, err);
    mem_free(e->alloc, w.seen, w.seen_size * sizeof *w.seen);
    return status;
}
