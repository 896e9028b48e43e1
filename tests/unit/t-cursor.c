/* Cursors: what is written is read back, everything else is refused. */
#include "base/prelude.h"

#include "random.h"
#include "service/cursor.h"
#include "tap.h"

static const uint8_t LIST[SHA256_SIZE] = { 1, 2, 3 };

static cursor_key some_key(uint64_t *dice, char name[static 1024])
{
    cursor_key key = { .first = (int64_t) random_u64(dice), .second = (int64_t) random_u64(dice) };
    size_t length = random_below(dice, 1021);
    for (size_t i = 0; i < sizeof key.asset_id.bytes; i++) {
        key.asset_id.bytes[i] = (uint8_t) random_u64(dice);
    }
    for (size_t i = 0; i < length; i++) {
        name[i] = (char) random_u64(dice);
    }
    key.name = (slice) { name, length };
    return key;
}

static void what_is_written_is_read_back(void)
{
    uint64_t dice = 42;
    char name[1024];
    char text[LUM_CURSOR_SIZE];
    char room[LUM_CURSOR_SIZE];
    pgc_error err;
    pgc_error_clear(&err);
    for (int i = 0; i < 500; i++) {
        const cursor_key key = some_key(&dice, name);
        cursor_key got = { 0 };
        REQUIRE_OK(cursor_write(&key, LIST, text, &err), &err);
        REQUIRE_OK(cursor_read(pgc_text_from(text), LIST, room, &got, &err), &err);
        CHECK(got.first == key.first && got.second == key.second);
        CHECK(memcmp(&got.asset_id, &key.asset_id, sizeof got.asset_id) == 0);
        CHECK(slice_eq(got.name, key.name));
        CHECK(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
              strlen(text));
    }
}

static void a_name_without_room_is_refused(void)
{
    static char name[LUM_CURSOR_SIZE];
    char text[LUM_CURSOR_SIZE] = "kept";
    const cursor_key key = { .name = { name, sizeof name } };
    CHECK(cursor_write(&key, LIST, text, NULL) != PGC_OK);
    CHECK_STR(text, "kept");
}

static void every_change_is_noticed(void)
{
    const cursor_key key = { .first = 7, .name = SLICE("name") };
    char text[LUM_CURSOR_SIZE];
    char room[LUM_CURSOR_SIZE];
    cursor_key got = { .first = -1 };
    REQUIRE(cursor_write(&key, LIST, text, NULL) == PGC_OK);
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        char kept = text[i];
        for (int c = 0; c < 256; c++) {
            text[i] = (char) c;
            bool same = text[i] == kept;
            pgc_status status = cursor_read((slice) { text, length }, LIST, room, &got, NULL);
            CHECK(same == (status == PGC_OK));
        }
        text[i] = kept;
    }
    got.first = -1;
    for (size_t cut = 0; cut < length; cut++) {
        CHECK(cursor_read((slice) { text, cut }, LIST, room, &got, NULL) == PGC_INVALID);
    }
    const uint8_t other[SHA256_SIZE] = { 1, 2, 4 };
    CHECK(cursor_read(pgc_text_from(text), other, room, &got, NULL) == PGC_INVALID);
    CHECK(got.first == -1);
}

static void anything_else_is_refused(void)
{
    uint64_t dice = 9;
    static char huge[10 << 20];
    char room[LUM_CURSOR_SIZE];
    cursor_key got = { .first = -1 };
    pgc_error err;
    pgc_error_clear(&err);
    memset(huge, 'A', sizeof huge);
    CHECK_STATUS(cursor_read((slice) { huge, sizeof huge }, LIST, room, &got, &err), PGC_INVALID,
                 &err);
    CHECK(strstr(err.message, "does not belong to this list") != NULL);
    CHECK(err.hint[0] != '\0');
    for (int i = 0; i < 2000; i++) {
        size_t length = random_below(&dice, 200);
        for (size_t k = 0; k < length; k++) {
            huge[k] = (char) random_u64(&dice);
        }
        CHECK(cursor_read((slice) { huge, length }, LIST, room, &got, NULL) == PGC_INVALID);
    }
    CHECK(got.first == -1);
}

static const tap_case CASES[] = {
    TAP("cursor: what is written is read back", what_is_written_is_read_back),
    TAP("cursor: a name without room is refused", a_name_without_room_is_refused),
    TAP("cursor: every change is noticed", every_change_is_noticed),
    TAP("cursor: anything else is refused", anything_else_is_refused),
};

int main(void)
{
    return tap_run(CASES, ARRAY_LEN(CASES));
}
