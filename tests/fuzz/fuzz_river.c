/* What comes into the job queue from others, as arbitrary bytes: JSON of rows and notifications,
 * cron expressions, cursors of lists. The first byte chooses. What is written again must be read
 * again. */
#include "base/prelude.h"

#include "base/arena.h"
#include "fuzz.h"
#include "river/cron.h"
#include "river/cursor.h"
#include "river/json.h"

static volatile size_t fuzz_sum; /* keeps the walks from being optimised away */

static void require(bool holds)
{
    if (!holds) {
        __builtin_trap();
    }
}

/* Every value of an object lies inside the text and is JSON itself. */
static void walk(slice text)
{
    json_walk at;
    json_member member;
    json_walk_begin(&at, text);
    for (unsigned i = 0; i < 64 && json_walk_next(&at, &member); i++) {
        require(member.value.ptr >= text.ptr &&
                member.value.ptr + member.value.len <= text.ptr + text.len);
        require(json_check(member.value, NULL) == PGC_OK);
        fuzz_sum += json_get(text, slice_sub(member.key, 1, member.key.len - 1)).len;
    }
}

/* Go's spelling of a value is JSON, and spelling it again changes nothing. */
static void try_json(slice text)
{
    AUTO(buf_auto) buf once;
    AUTO(buf_auto) buf twice;
    buf_init(&once, NULL, 1 << 20);
    buf_init(&twice, NULL, 1 << 20);
    if (json_check(text, NULL) == PGC_OK) {
        json_add_go(&once, text);
        if (once.failed) {
            return;
        }
        require(json_check(buf_view(&once), NULL) == PGC_OK);
        json_add_go(&twice, buf_view(&once));
        require(!twice.failed && slice_eq(buf_view(&once), buf_view(&twice)));
    }
    if (json_check_object(text, NULL) == PGC_OK) {
        walk(text);
    }
    buf_reset(&once);
    json_add_text(&once, text);
    require(once.failed || json_check(buf_view(&once), NULL) == PGC_OK);
}

/* The next time is later, and at a whole minute. */
static void try_cron(slice text)
{
    cron schedule;
    pgc_timestamp at = { INT64_C(800000000123456) };
    if (cron_parse(text, &schedule, NULL) != PGC_OK) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        pgc_timestamp next = at;
        if (!cron_next(&schedule, at, &next)) {
            return;
        }
        require(next.us > at.us && next.us % 60000000 == 0);
        at = next;
    }
}

static void try_cursor(slice text, river_order order)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    char *after = mem == NULL ? NULL : arena_printf(mem, "%.*s", (int) text.len, text.ptr);
    if (after == NULL) {
        return;
    }
    const river_filter filter = {
        .struct_size = sizeof filter, .after = after, .order = order, .states = RIVER_STATES_FINAL
    };
    cursor_place place = { .id = 0 };
    pgc_status status = cursor_parse(&filter, &place, NULL);
    require(status == PGC_OK || status == PGC_INVALID || status == PGC_NOMEM);
    fuzz_sum += (size_t) place.id;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536) {
        return 0;
    }
    slice text = { (const char *) data + 1, size - 1 };
    switch (data[0] % 4) {
    case 0:
        try_json(text);
        break;
    case 1:
        try_cron(text);
        break;
    case 2:
        try_cursor(text, RIVER_ORDER_ID);
        break;
    default:
        try_cursor(text, RIVER_ORDER_TIME);
        break;
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const char *const SEEDS[] = {
        "\x04{\"a\":[1,-2.5e+10,true,null,{\"b\":\"\\u00e4\\n<&>\"}],\"c\":"
        "\"\xc3\xa4\\ud83d\\ude00\"}",
        "\x04 [ \"x\\\\\" , 0 ] ",
        "\x05*/15 0-6,12 1,15 jan-mar mon-fri",
        "\x05@daily",
        "\x05"
        "0 0 29 2 *",
        "\x06"
        "eyJpZCI6MSwia2luZCI6ImEiLCJxdWV1ZSI6ImIiLCJzb3J0X2ZpZWxkIjoiaWQifQ==",
        "\x07"
        "eyJpZCI6MTIsInRpbWUiOiIyMDI2LTA4LTA3VDE0OjMyOjU3WiIsInNvcnRfZmllbGQiOiJ0aW1lIn0=",
    };
    if (index >= ARRAY_LEN(SEEDS)) {
        return 0;
    }
    size_t len = strlen(SEEDS[index]);
    len = len < size ? len : size;
    memcpy(data, SEEDS[index], len);
    return len;
}
