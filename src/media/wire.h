/* What the host, the helper and a confined child tell each other. One message is one packet or one
 * pipe write of a fixed-size struct; each begins with its kind and size. */
#ifndef MEDIA_WIRE_H
#define MEDIA_WIRE_H

#include <assert.h>

#include "media/media.h"

/* Sanitizer builds live without the limit of address space. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEDIA_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEDIA_SANITIZED 1
#endif
#endif

/* Kinds of message: "LMH1" and following. A change of any struct below changes them. */
#define WIRE_HELLO   0x4c4d4831U
#define WIRE_REQUEST 0x4c4d4832U
#define WIRE_REPLY   0x4c4d4833U
#define WIRE_POLICY  0x4c4d4834U
#define WIRE_ANSWER  0x4c4d4835U

/* Descriptors of a confined child; the helper's end of the control socket is descriptor 0. */
enum {
    WIRE_FD_CONTROL = 0,
    WIRE_FD_SOURCE = 3,
    WIRE_FD_THUMBNAIL = 4, /* and the following two */
    WIRE_FD_REPLY = WIRE_FD_THUMBNAIL + MEDIA_SIZE_COUNT,
    WIRE_FD_END
};

/* Helper to host, once: whether children can be confined here. */
typedef struct wire_hello {
    uint32_t kind, size;
    int32_t sandboxed;    /* 0 or 1; 0: reason says why and no request is served */
    int32_t landlock_abi; /* 0: the kernel has none, the other walls stand */
    char reason[256];
} wire_hello;

/* Host to helper, with the source and, when thumbnails is 1, three more descriptors. */
typedef struct wire_request {
    uint32_t kind, size;
    uint64_t number;
    int64_t source_size; /* bytes, by fstat */
    int32_t thumbnails;  /* 0 or 1 */
    int32_t reserved;
    media_limits limits;
} wire_request;

/* Child to helper, handed on unread: everything in it is untrusted. */
typedef struct wire_reply {
    uint32_t kind, size;
    int32_t status; /* PGC_OK, or a pgc_status that reason explains */
    int32_t reserved;
    media_report report;
    char reason[256];
} wire_reply;

/* Child to helper instead of a reply: the signal handler for refused system calls. */
typedef struct wire_policy {
    uint32_t kind, size;
    int32_t system_call;
    int32_t reserved;
} wire_policy;

/* How a child ended. */
typedef enum wire_outcome {
    WIRE_REPLIED = 1,  /* answer.reply is filled */
    WIRE_SIGNALLED,    /* answer.signal */
    WIRE_REFUSED_CALL, /* answer.detail names the system call */
    WIRE_TIMED_OUT,
    WIRE_NO_REPLY, /* ended without a word, answer.signal is its exit code */
    WIRE_NO_CHILD  /* no process could be made, answer.signal is errno */
} wire_outcome;

typedef struct wire_answer {
    uint32_t kind, size;
    uint64_t number;
    int32_t outcome; /* wire_outcome */
    int32_t signal;
    char detail[64];
    wire_reply reply;
} wire_answer;

/* A pipe takes up to 4096 bytes in one piece: a reply is there whole or not at all. */
static_assert(sizeof(wire_reply) <= 4096, "a reply fits one atomic write");
static_assert(sizeof(wire_policy) != sizeof(wire_reply), "told apart by their size");
static_assert(WIRE_FD_REPLY == WIRE_FD_THUMBNAIL + 3, "three thumbnails lie between");

#endif
