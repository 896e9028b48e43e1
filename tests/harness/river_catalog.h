/* Everything the server knows about one schema, as sorted lines: two schemas that give the same
 * text are the same to every client. Bodies of functions are left out. */
#ifndef TEST_RIVER_CATALOG_H
#define TEST_RIVER_CATALOG_H

/* Needs search_path = '' so that every name is printed with its schema. */
#define RIVER_CATALOG_SQL                                                                        \
    "SET search_path = ''; SELECT string_agg(line, E'\\n' ORDER BY line COLLATE \"C\") FROM ("   \
    "WITH s AS (SELECT oid FROM pg_namespace WHERE nspname = 'queue') "                          \
    "SELECT concat_ws('|', 'relation', relname, relkind, relpersistence) AS line "               \
    "FROM pg_class, s WHERE relnamespace = s.oid AND relkind <> 'c' UNION ALL "                  \
    "SELECT concat_ws('|', 'column', c.relname, lpad(row_number() OVER (PARTITION BY c.oid "     \
    "ORDER BY attnum)::text, 2, '0'), attname, format_type(atttypid, atttypmod), attnotnull, "   \
    "pg_get_expr(adbin, adrelid)) FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid "      \
    "AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid "           \
    "AND d.adnum = a.attnum, s WHERE relnamespace = s.oid AND relkind = 'r' UNION ALL "          \
    "SELECT concat_ws('|', 'constraint', conrelid::regclass, conname, "                          \
    "pg_get_constraintdef(pg_constraint.oid)) FROM pg_constraint, s "                            \
    "WHERE connamespace = s.oid AND contype <> 'n' UNION ALL "                                   \
    "SELECT 'index|' || indexdef FROM pg_indexes WHERE schemaname = 'queue' UNION ALL "          \
    "SELECT concat_ws('|', 'label', typname, lpad(row_number() OVER (PARTITION BY t.oid "        \
    "ORDER BY enumsortorder)::text, 2, '0'), enumlabel) FROM pg_enum e JOIN pg_type t "          \
    "ON t.oid = enumtypid, s WHERE typnamespace = s.oid UNION ALL "                              \
    "SELECT 'trigger|' || pg_get_triggerdef(g.oid) FROM pg_trigger g JOIN pg_class c "           \
    "ON c.oid = tgrelid, s WHERE relnamespace = s.oid AND NOT tgisinternal UNION ALL "           \
    "SELECT concat_ws('|', 'function', proname, pg_get_function_identity_arguments(p.oid), "     \
    "pg_get_function_result(p.oid), provolatile, proisstrict, prosecdef, proparallel, procost, " \
    "lanname) FROM pg_proc p JOIN pg_language l ON l.oid = prolang, s "                          \
    "WHERE pronamespace = s.oid) lines"

#endif
