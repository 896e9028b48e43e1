#ifndef PGC_EXPORT_H
#define PGC_EXPORT_H

#if defined(__GNUC__)
#define PGC_API               __attribute__((visibility("default")))
#define PGC_MUST_CHECK        __attribute__((warn_unused_result))
#define PGC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PGC_API
#define PGC_MUST_CHECK
#define PGC_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
#define PGC_BEGIN_DECLS extern "C" {
#define PGC_END_DECLS   }
/** Initialiser for any public struct: all-zero memory is "absent" for every type. */
#define PGC_ZERO \
    {            \
    }
#else
#define PGC_BEGIN_DECLS
#define PGC_END_DECLS
#define PGC_ZERO \
    {            \
        0        \
    }
#endif

#endif
