#ifndef PGC_PGC_H
#define PGC_PGC_H

/*
 * All of libpgc by one include. docs/pgc/README.md is the way in; each header can also be included
 * alone.
 */
#include <pgc/alloc.h>
#include <pgc/clone.h>
#include <pgc/cluster.h>
#include <pgc/conn.h>
#include <pgc/copy.h>
#include <pgc/db.h>
#include <pgc/error.h>
#include <pgc/export.h>
#include <pgc/hooks.h>
#include <pgc/listen.h>
#include <pgc/pipeline.h>
#include <pgc/pool.h>
#include <pgc/query.h>
#include <pgc/reader.h>
#include <pgc/reads.h>
#include <pgc/rows.h>
#include <pgc/schema.h>
#include <pgc/set.h>
#include <pgc/token.h>
#include <pgc/tx.h>
#include <pgc/types.h>
#include <pgc/window.h>

PGC_BEGIN_DECLS

/** Version of these headers. Before 1.0 a new minor version may break compiled callers. */
#define PGC_VERSION     "0.1.0"
#define PGC_VERSION_NUM 100 /**< major * 10000 + minor * 100 + patch */

/**
 * Version of the library that is linked, which may be another one than that of the headers.
 *
 * @return static text such as "0.1.0".
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API const char *pgc_version(void);

PGC_END_DECLS

#endif
