/* Inside of the program lumilio-media: the helper that forks and the child that is confined. */
#ifndef MEDIA_HELPER_H
#define MEDIA_HELPER_H

#include "media/wire.h"

/* --- confine.c: the walls --- */

/* Before the first fork: makes the system call filters ready. PGC_UNSUPPORTED: no seccomp here. */
pgc_status confine_prepare(pgc_error *err) PGC_MUST_CHECK;
/* Landlock's level on this kernel, 0 when it has none. */
int confine_landlock_abi(void);
/* Close the walls around the calling process, for good. Descriptors are at their WIRE_FD places. */
pgc_status confine_enter(const media_limits *limits, pgc_error *err) PGC_MUST_CHECK;
/* One step closer: no threads either. For readers that need none. */
pgc_status confine_forbid_threads(pgc_error *err) PGC_MUST_CHECK;
/* Name of a system call of this machine; writes "?" when it has none. */
void confine_call_name(int system_call, char *out, size_t room);

/* --- child.c: one file --- */

/* Before the first fork: start the libraries and make them do once what they do lazily. */
pgc_status child_prepare(pgc_error *err) PGC_MUST_CHECK;
/* Confine, read, answer, end. */
_Noreturn void child_run(const wire_request *request);
/* Answer and end; reason NULL: the report of this child is complete. */
_Noreturn void child_finish(pgc_status status, const char *reason);

/* The test build of the helper puts its attempts to break out here. */
#ifdef MEDIA_ESCAPE
void escape_attempt(const uint8_t *head, size_t size);
#endif

#endif
