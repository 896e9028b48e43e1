#ifndef RIVER_RIVER_H
#define RIVER_RIVER_H

/*
 * All of libriver by one include. docs/river/README.md is the way in; each header can also be
 * included alone.
 */
#include <river/client.h>
#include <river/event.h>
#include <river/ext.h>
#include <river/insert.h>
#include <river/job.h>
#include <river/manage.h>
#include <river/migrate.h>
#include <river/worker.h>

PGC_BEGIN_DECLS

/** Version of these headers. Before 1.0 a new minor version may break compiled callers. */
#define RIVER_VERSION     "0.1.0"
#define RIVER_VERSION_NUM 100 /**< major * 10000 + minor * 100 + patch */

/**
 * Version of the library that is linked, which may be another one than that of the headers.
 *
 * @return static text such as "0.1.0".
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API const char *river_version(void);

PGC_END_DECLS

#endif
