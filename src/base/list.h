/* Intrusive doubly linked ring: an object that is always on exactly one list carries its link. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_node {
    struct list_node *prev, *next;
} list_node;

/* clang-format off: it takes "(node) -" for a cast of a negative number */
#define CONTAINER_OF(node, type, member) \
    ((type *) (void *) ((char *) (node) -offsetof(type, member)))
/* clang-format on */

static inline void list_init(list_node *head)
{
    head->prev = head->next = head;
}

static inline bool list_empty(const list_node *head)
{
    return head->next == head;
}

static inline void list_append(list_node *head, list_node *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_prepend(list_node *head, list_node *node)
{
    list_append(head->next, node);
}

/* The node becomes a ring of its own: removing twice is harmless. */
static inline void list_remove(list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = node;
}

#endif
