/* Intrusive list. */
#include "base/prelude.h"

#include "base/list.h"

#include "tap.h"

typedef struct item {
    int number;
    list_node node;
} item;

static int digits(list_node *head)
{
    int value = 0;
    for (list_node *at = head->next; at != head; at = at->next) {
        value = value * 10 + CONTAINER_OF(at, item, node)->number;
    }
    return value;
}

static void order_of_append_and_prepend(void)
{
    list_node head;
    item items[] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
    list_init(&head);
    CHECK(list_empty(&head));
    list_append(&head, &items[0].node);
    list_append(&head, &items[1].node);
    list_prepend(&head, &items[2].node);
    CHECK(!list_empty(&head));
    CHECK_INT(digits(&head), 312);
    list_remove(&items[0].node);
    CHECK_INT(digits(&head), 32);
}

static void removing_twice_is_harmless(void)
{
    list_node head;
    item items[] = { { .number = 1 }, { .number = 2 } };
    list_init(&head);
    list_append(&head, &items[0].node);
    list_append(&head, &items[1].node);
    list_remove(&items[0].node);
    list_remove(&items[0].node);
    CHECK_INT(digits(&head), 2);
    list_remove(&items[1].node);
    CHECK(list_empty(&head));
}

TAP_MAIN(TAP("list: append and prepend keep order", order_of_append_and_prepend),
         TAP("list: removing twice is harmless", removing_twice_is_harmless))
