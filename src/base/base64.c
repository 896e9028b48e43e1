/* Base64 by OpenSSL, whose calls take an int, so long texts go in pieces. No state. */
#include "base/prelude.h"

#include "base/base64.h"

#include <openssl/evp.h>

/* Bytes at a time: a multiple of three leaves no padding between pieces. */
#define PIECE ((size_t) 3 << 20)

void base64_add(buf *out, slice bytes)
{
    while (bytes.len > 0) {
        size_t piece = bytes.len < PIECE ? bytes.len : PIECE;
        size_t len = (piece + 2) / 3 * 4;
        char *to = buf_extend(out, len + 1);
        if (to == NULL) {
            return;
        }
        int written =
            EVP_EncodeBlock((unsigned char *) to, (const unsigned char *) bytes.ptr, (int) piece);
        assert((size_t) written == len);
        (void) written;
        out->len--; /* the NUL that it writes */
        bytes = slice_sub(bytes, piece, bytes.len);
    }
}

/* OpenSSL would pass over blanks at both ends and give zeros for padding. */
bool base64_read(buf *out, slice text)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=') {
        padding++;
    }
    for (size_t i = 0; i < text.len - padding; i++) {
        if (memchr(DIGITS, text.ptr[i], sizeof DIGITS - 1) == NULL) {
            return false;
        }
    }
    if (text.len % 4 != 0) {
        return false;
    }
    while (text.len > 0) {
        size_t piece = text.len < PIECE ? text.len : PIECE / 4 * 4;
        char *to = buf_extend(out, piece / 4 * 3);
        if (to == NULL) {
            return true; /* the buffer knows */
        }
        int got =
            EVP_DecodeBlock((unsigned char *) to, (const unsigned char *) text.ptr, (int) piece);
        if (got < 0) {
            return false;
        }
        text = slice_sub(text, piece, text.len);
    }
    out->len -= padding;
    return true;
}
