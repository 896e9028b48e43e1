/* Reading media files safely: every byte of a file is parsed in a confined child process.
 *
 * A media_host owns one helper process ("zygote") that has the libraries loaded; for each file the
 * helper forks a child that is confined (no file system, no network, limits on memory, time and
 * output), reads the one descriptor it was given and answers with facts and thumbnails. */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H

#include "base/env.h"
#include "media/facts.h"

typedef enum media_size { MEDIA_SMALL, MEDIA_MEDIUM, MEDIA_LARGE, MEDIA_SIZE_COUNT } media_size;

/* "small", "medium", "large": as the thumbnails table spells them. */
const char *media_size_text(media_size size);
/* Pixels of the square that a thumbnail fits into: 400, 800, 1920; never enlarged. */
int32_t media_size_pixels(media_size size);

typedef struct media_thumbnail {
    int32_t width, height; /* 0: none was made */
    int64_t file_size;     /* bytes */
} media_thumbnail;

typedef struct media_report {
    media_facts facts;
    media_thumbnail thumbnails[MEDIA_SIZE_COUNT];
} media_report;

typedef struct media_limits {
    int64_t wall_us;      /* default 60 s */
    int64_t cpu_seconds;  /* default 30 */
    int64_t memory_bytes; /* address space; default 2 GiB */
    int64_t output_bytes; /* each thumbnail; default 16 MiB */
    int64_t pixels_max;   /* default 150 million */
} media_limits;

typedef struct media_host media_host;

/* helper_path: the program lumilio-media. limits NULL or zero members: defaults. */
pgc_status media_host_open(const env *env, const char *helper_path, const media_limits *limits,
                           media_host **out, pgc_error *err) PGC_MUST_CHECK;
void media_host_close(media_host *host);

/* Look at one file.
 *
 * source_fd: a regular file open for reading; its offset is not used. thumbnail_fds: descriptors
 * open for writing that get WebP files (orientation applied, metadata stripped), or NULL for facts
 * only; audio gets none, video gets its poster frame.
 *
 * PGC_OK; LUM_NOT_MEDIA (not a photo, video or recording that we know; message says what it is);
 * LUM_MEDIA_CORRUPT (damaged or truncated); LUM_MEDIA_LIMIT (too many pixels, memory, time);
 * LUM_MEDIA_CRASHED (the parser died; message names signal or system call); PGC_IO.
 * One thread per host; use one host per worker thread. Blocks up to wall_us. */
pgc_status media_host_probe(media_host *host, int source_fd, const int *thumbnail_fds,
                            media_report *out, pgc_error *err) PGC_MUST_CHECK;

#endif
