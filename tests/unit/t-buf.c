/* Growable buffer. */
#include "base/prelude.h"

#include "base/buf.h"

#include "oom.h"
#include "tap.h"

static void appends_and_views(void)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 4096);
    CHECK_STR(buf_view(&b).ptr, "");
    CHECK_INT(buf_view(&b).len, 0);
    buf_add(&b, (slice) { NULL, 0 });
    buf_add_str(&b, "ab");
    buf_add_char(&b, 'c');
    buf_printf(&b, "-%d-%s", 12, "x");
    CHECK_INT(buf_finish(&b, NULL), PGC_OK);
    CHECK_STR(b.ptr, "abc-12-x");
    CHECK_INT(b.len, 8);
    buf_reset(&b);
    CHECK_INT(buf_view(&b).len, 0);
    buf_add_str(&b, "again");
    CHECK_STR(b.ptr, "again");
}

static void network_byte_order(void)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 64);
    buf_add_u16(&b, 0x0102);
    buf_add_u32(&b, 0x03040506);
    buf_add_u64(&b, UINT64_C(0x0708090A0B0C0D0E));
    REQUIRE(b.len == 14);
    for (int i = 0; i < 14; i++) {
        CHECK_INT(b.ptr[i], i + 1);
    }
}

static void first_failure_poisons(void)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 8);
    buf_add_str(&b, "1234567");
    CHECK(!b.failed);
    buf_add_char(&b, '8');
    CHECK(b.failed);
    buf_reset(&b);
    buf_add_str(&b, "12345678");
    buf_add_str(&b, "1");
    pgc_error err;
    CHECK_INT(buf_finish(&b, &err), PGC_NOMEM);
    CHECK_INT(b.len, 0);
    CHECK(buf_extend(&b, 1) == NULL);
    buf_printf(&b, "%d", 5);
    buf_add_u32(&b, 1);
    CHECK_INT(b.len, 0);
    buf_reset(&b);
    CHECK_INT(buf_finish(&b, &err), PGC_OK);
    CHECK(buf_extend(&b, SIZE_MAX) == NULL);
}

static void ceiling_is_reached_exactly(void)
{
    for (size_t max = 1; max < 300; max++) {
        AUTO(buf_auto) buf b;
        buf_init(&b, NULL, max);
        for (size_t i = 0; i + 1 < max; i++) {
            buf_add_char(&b, 'x');
        }
        CHECK_INT(buf_finish(&b, NULL), PGC_OK);
        CHECK(b.cap <= max);
        buf_add_char(&b, 'x');
        CHECK(b.failed);
    }
}

static void each_failed_allocation_is_survived(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        buf b;
        buf_init(&b, &alloc, 4096);
        for (int i = 0; i < 50; i++) {
            buf_printf(&b, "%020d", i);
        }
        complete = buf_finish(&b, NULL) == PGC_OK;
        CHECK(!complete || b.len == 1000);
        buf_done(&b);
        buf_done(&b);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
}

TAP_MAIN(TAP("buf: appends and views", appends_and_views),
         TAP("buf: integers in network byte order", network_byte_order),
         TAP("buf: the first failure poisons", first_failure_poisons),
         TAP("buf: the ceiling is reached exactly", ceiling_is_reached_exactly),
         TAP("buf: each failed allocation is survived", each_failed_allocation_is_survived))
