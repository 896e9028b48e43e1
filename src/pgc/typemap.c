/* OID to type name, for one connection. A handful of entries, searched one by one. */
#include "base/prelude.h"

#include "pgc/typemap.h"

struct type_name {
    uint32_t oid;
    char *name;
};

void typemap_init(type_map *map, const pgc_alloc *alloc)
{
    *map = (type_map) { .alloc = alloc };
}

/* The map is empty then and may be used again. */
void typemap_done(type_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        mem_free_str(map->alloc, map->entries[i].name);
    }
    mem_free(map->alloc, map->entries, map->cap * sizeof(struct type_name));
    typemap_init(map, map->alloc);
}

/* Databases have a handful of types of their own: a list is enough. */
const char *typemap_name(const type_map *map, uint32_t oid)
{
    for (size_t i = 0; i < map->count; i++) {
        if (map->entries[i].oid == oid) {
            return map->entries[i].name;
        }
    }
    return NULL;
}

/* The caller knows that the OID is new. */
bool typemap_add(type_map *map, uint32_t oid, const char *name)
{
    if (map->count == map->cap) {
        size_t cap = map->cap == 0 ? 8 : map->cap * 2;
        struct type_name *entries =
            mem_resize(map->alloc, map->entries, map->cap * sizeof(struct type_name),
                       cap * sizeof(struct type_name));
        if (entries == NULL) {
            return false;
        }
        map->entries = entries;
        map->cap = cap;
    }
    char *copy = mem_strdup(map->alloc, name);
    if (copy == NULL) {
        return false;
    }
    map->entries[map->count++] = (struct type_name) { oid, copy };
    return true;
}

/* Descriptor and server may write a name with or without its schema, depending on search paths:
 * "vector" and "public.vector" are the same. Two different schemas in full are not. */
bool typemap_same(const char *server_name, const char *wanted)
{
    if (strcmp(server_name, wanted) == 0) {
        return true;
    }
    /* The server writes the schema when it is not in the search path. */
    size_t server_len = strlen(server_name), wanted_len = strlen(wanted);
    if (server_len > wanted_len) {
        const char *tail = server_name + (server_len - wanted_len);
        return tail[-1] == '.' && strcmp(tail, wanted) == 0;
    }
    const char *tail = wanted + (wanted_len - server_len);
    return wanted_len > server_len && tail[-1] == '.' && strcmp(tail, server_name) == 0;
}
