/* Base64: vectors of RFC 4648, long texts, and what is none. */
#include "base/prelude.h"

#include "base/base64.h"

#include "tap.h"

static const char *const VECTORS[][2] = { { "", "" },
                                          { "f", "Zg==" },
                                          { "fo", "Zm8=" },
                                          { "foo", "Zm9v" },
                                          { "foob", "Zm9vYg==" },
                                          { "fooba", "Zm9vYmE=" },
                                          { "foobar", "Zm9vYmFy" },
                                          { "\xff\xfe\xfb", "//77" } };

static void known_vectors(void)
{
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        AUTO(buf_auto) buf out;
        slice bytes = { VECTORS[i][0], strlen(VECTORS[i][0]) };
        slice text = { VECTORS[i][1], strlen(VECTORS[i][1]) };
        buf_init(&out, NULL, 1 << 10);
        buf_add_str(&out, "x");
        base64_add(&out, bytes);
        CHECK(slice_eq(slice_sub(buf_view(&out), 1, out.len), text));
        buf_reset(&out);
        buf_add_str(&out, "y");
        CHECK(base64_read(&out, text));
        CHECK(slice_eq(slice_sub(buf_view(&out), 1, out.len), bytes));
    }
}

/* Longer than OpenSSL takes at a time, with every remainder. */
static void long_texts_come_back(void)
{
    size_t size = ((size_t) 3 << 20) + 5;
    char *bytes = malloc(size);
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char) (i * 131 + (i >> 8));
    }
    for (size_t len = size - 3; len <= size; len++) {
        AUTO(buf_auto) buf text;
        AUTO(buf_auto) buf back;
        buf_init(&text, NULL, (size_t) 16 << 20);
        buf_init(&back, NULL, (size_t) 16 << 20);
        base64_add(&text, (slice) { bytes, len });
        CHECK_INT(text.len, (len + 2) / 3 * 4);
        CHECK((text.ptr[text.len - 1] == '=') == (len % 3 != 0));
        CHECK((text.ptr[text.len - 2] == '=') == (len % 3 == 1));
        CHECK(base64_read(&back, buf_view(&text)));
        CHECK(slice_eq(buf_view(&back), (slice) { bytes, len }));
    }
    free(bytes);
}

static void other_texts_are_refused(void)
{
    static const char *const BAD[] = {
        "Z",     "Zg",   "Zg=",  "Zg=a",  "=Zg=", "====", "Zm9v\n",
        " Zm9v", "Zm-v", "Zm_v", "Zm9v=", "Z===", "Zm 9", "Zg==Zg=="
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        AUTO(buf_auto) buf out;
        buf_init(&out, NULL, 1 << 10);
        if (!CHECK(!base64_read(&out, (slice) { BAD[i], strlen(BAD[i]) }))) {
            printf("# %s\n", BAD[i]);
        }
    }
}

static void a_full_buffer_says_so(void)
{
    buf out;
    buf_init(&out, NULL, 16);
    base64_add(&out, SLICE("more than sixteen bytes of text"));
    CHECK(out.failed);
    buf_reset(&out);
    CHECK(base64_read(&out, SLICE("bW9yZSB0aGFuIHNpeHRlZW4gYnl0ZXM=")));
    CHECK(out.failed);
    buf_done(&out);
}

TAP_MAIN(TAP("base64: known vectors", known_vectors),
         TAP("base64: long texts come back", long_texts_come_back),
         TAP("base64: other texts are refused", other_texts_are_refused),
         TAP("base64: a full buffer says so", a_full_buffer_says_so))
