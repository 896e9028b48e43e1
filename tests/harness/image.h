/* Test pictures: PNG files without compression, made in memory, each number another picture.
 * Format: W3C "Portable Network Graphics Specification"; RFC 1950 and 1951 (stored blocks). */
#ifndef TEST_IMAGE_H
#define TEST_IMAGE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes that grow; the test program stops when memory is gone. */
typedef struct image_bytes {
    uint8_t *ptr;
    size_t len, cap;
} image_bytes;

static inline void image_add(image_bytes *out, const void *bytes, size_t count)
{
    if (out->len + count > out->cap) {
        out->cap = (out->len + count) * 2;
        out->ptr = (uint8_t *) realloc(out->ptr, out->cap);
        if (out->ptr == NULL) {
            _exit(99);
        }
    }
    memcpy(out->ptr + out->len, bytes, count);
    out->len += count;
}

static inline void image_add_u32(image_bytes *out, uint32_t value)
{
    const uint8_t bytes[4] = { (uint8_t) (value >> 24), (uint8_t) (value >> 16),
                               (uint8_t) (value >> 8), (uint8_t) value };
    image_add(out, bytes, sizeof bytes);
}

static inline uint32_t image_crc(const uint8_t *bytes, size_t count)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

/* One chunk: length, type, data, checksum over type and data. */
static inline void image_chunk(image_bytes *out, const char *type, const uint8_t *data, size_t size)
{
    image_add_u32(out, (uint32_t) size);
    size_t start = out->len;
    image_add(out, type, 4);
    if (size > 0) {
        image_add(out, data, size);
    }
    image_add_u32(out, image_crc(out->ptr + start, out->len - start));
}

/* The rows as one zlib stream of stored blocks. */
static inline void image_deflate(image_bytes *out, const uint8_t *rows, size_t size)
{
    uint32_t a = 1;
    uint32_t b = 0;
    image_add(out, "\x78\x01", 2);
    for (size_t at = 0; at < size; at += 65535) {
        size_t length = size - at < 65535 ? size - at : 65535;
        const uint8_t head[5] = { at + length == size, (uint8_t) length, (uint8_t) (length >> 8),
                                  (uint8_t) ~length, (uint8_t) (~length >> 8) };
        image_add(out, head, sizeof head);
        image_add(out, rows + at, length);
    }
    for (size_t i = 0; i < size; i++) {
        a = (a + rows[i]) % 65521;
        b = (b + a) % 65521;
    }
    image_add_u32(out, b << 16 | a);
}

/* A grey gradient that depends on `number`; free ptr with free(). */
static inline image_bytes image_png(uint32_t width, uint32_t height, uint32_t number)
{
    image_bytes file = { NULL, 0, 0 };
    image_bytes rows = { NULL, 0, 0 };
    image_bytes packed = { NULL, 0, 0 };
    const uint8_t header[13] = { (uint8_t) (width >> 24),
                                 (uint8_t) (width >> 16),
                                 (uint8_t) (width >> 8),
                                 (uint8_t) width,
                                 (uint8_t) (height >> 24),
                                 (uint8_t) (height >> 16),
                                 (uint8_t) (height >> 8),
                                 (uint8_t) height,
                                 8,
                                 0,
                                 0,
                                 0,
                                 0 };
    for (uint32_t y = 0; y < height; y++) {
        image_add(&rows, "\0", 1); /* no filter */
        for (uint32_t x = 0; x < width; x++) {
            uint8_t grey = (uint8_t) (x * (number % 7 + 1) + y * (number / 7 % 5 + 1) + number);
            if (y == 0 && x < 4) {
                grey = (uint8_t) (number >> (8 * x)); /* no two numbers give one picture */
            }
            image_add(&rows, &grey, 1);
        }
    }
    image_deflate(&packed, rows.ptr, rows.len);
    image_add(&file, "\x89PNG\r\n\x1a\n", 8);
    image_chunk(&file, "IHDR", header, sizeof header);
    image_chunk(&file, "IDAT", packed.ptr, packed.len);
    image_chunk(&file, "IEND", NULL, 0);
    free(rows.ptr);
    free(packed.ptr);
    return file;
}

/* Bits of a deflate stream, lowest first. */
typedef struct image_bits {
    image_bytes *out;
    uint32_t held, count;
} image_bits;

static inline void image_add_bits(image_bits *bits, uint32_t value, uint32_t count)
{
    bits->held |= value << bits->count;
    for (bits->count += count; bits->count >= 8; bits->count -= 8) {
        uint8_t byte = (uint8_t) bits->held;
        image_add(bits->out, &byte, 1);
        bits->held >>= 8;
    }
}

/* `count` zero bytes (at least one) as a zlib stream of a 600th of their size: one literal, then
 * copies of 258 bytes. Codes of RFC 1951 §3.2.6, their bits turned round: 0x0c is the literal 0,
 * 0xa3 the length 258, five zero bits the distance 1. */
static inline void image_deflate_zeros(image_bytes *out, uint64_t count)
{
    image_bits bits = { out, 0, 0 };
    uint64_t left = count - 1;
    image_add(out, "\x78\x9c", 2);
    image_add_bits(&bits, 3, 3); /* last block, fixed codes */
    image_add_bits(&bits, 0x0c, 8);
    for (; left >= 258; left -= 258) {
        image_add_bits(&bits, 0xa3, 8);
        image_add_bits(&bits, 0, 5);
    }
    for (; left > 0; left--) {
        image_add_bits(&bits, 0x0c, 8);
    }
    image_add_bits(&bits, 0, 7 + 7); /* end of block, then up to a byte's border */
    image_add_u32(out, (uint32_t) (count % 65521) << 16 | 1);
}

/* A black picture that is small as a file and huge in memory. */
static inline image_bytes image_png_bomb(uint32_t width, uint32_t height)
{
    image_bytes file = { NULL, 0, 0 };
    image_bytes header = { NULL, 0, 0 };
    image_bytes packed = { NULL, 0, 0 };
    image_add_u32(&header, width);
    image_add_u32(&header, height);
    image_add(&header, "\x08\x00\x00\x00\x00", 5); /* 8 bits, grey */
    image_deflate_zeros(&packed, (uint64_t) height * (width + 1));
    image_add(&file, "\x89PNG\r\n\x1a\n", 8);
    image_chunk(&file, "IHDR", header.ptr, header.len);
    image_chunk(&file, "IDAT", packed.ptr, packed.len);
    image_chunk(&file, "IEND", NULL, 0);
    free(header.ptr);
    free(packed.ptr);
    return file;
}

/* The first `size` bytes of a buffer as a file; false when it cannot be written. */
static inline bool image_save(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, bytes, size) == (ssize_t) size;
    return fd >= 0 && close(fd) == 0 && good;
}

/* A picture as a file. */
static inline bool image_write(const char *path, uint32_t width, uint32_t height, uint32_t number)
{
    image_bytes file = image_png(width, height, number);
    bool good = image_save(path, file.ptr, file.len);
    free(file.ptr);
    return good;
}

#endif
