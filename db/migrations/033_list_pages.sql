-- Pages that grew with something else than the page.
--
-- Tags by name walked the names of all users, and asked of each shared one whether the user has it
-- before they looked at the name; where the planner thought that dear, it read all the user's links
-- first (15 ms for 75,000). Confidences of species are numeric, whose comparisons are not leakproof:
-- below row-level security no index is asked for them, and a species' list was read from its front.
-- Files to be removed were sorted anew for each page, and looked for by path one by one.

-- As before (016_tags.sql), but as a question about one tag, which cannot be answered by reading all
-- of the user's links.
DROP POLICY tags_select ON tags;
CREATE POLICY tags_select ON tags FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()
           OR (owner_id IS NULL
               AND (SELECT true FROM asset_tags l
                    WHERE l.tag_id = tags.tag_id AND l.owner_id = current_user_id() LIMIT 1)));

-- Past the policies, so that names are compared first; whose tags are seen is said here. Shared ones
-- are as many as the labels that models know.
CREATE FUNCTION tags_page(after_name text, after_tag integer, wanted_category text, part text,
                          row_limit bigint)
    RETURNS TABLE (tag_id integer, name text, category text, shared boolean, asset_count bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, public
    SET plan_cache_mode = force_generic_plan
    AS $$
    #variable_conflict use_column
    DECLARE
        me integer := public.current_user_id();
        low_part text := lower(part);
        last_own text; -- of a full page: no shared tag behind it is worth a look
    BEGIN
        SELECT t.name INTO last_own FROM public.tags t
        WHERE t.owner_id = me AND (t.name, t.tag_id) > (after_name, after_tag)
          AND (wanted_category IS NULL OR t.category = wanted_category)
          AND (low_part IS NULL OR strpos(lower(t.name), low_part) > 0)
        ORDER BY t.name, t.tag_id LIMIT 1 OFFSET row_limit - 1;
        RETURN QUERY
        SELECT p.tag_id, p.name::text, p.category::text, p.owner_id IS NULL,
               coalesce((SELECT sum(c.assets) FROM public.tag_counts c
                         WHERE c.owner_id = me AND c.tag_id = p.tag_id), 0)::bigint
        FROM ((SELECT t.tag_id, t.name, t.category, t.owner_id FROM public.tags t
               WHERE t.owner_id = me AND (t.name, t.tag_id) > (after_name, after_tag)
                 AND (wanted_category IS NULL OR t.category = wanted_category)
                 AND (low_part IS NULL OR strpos(lower(t.name), low_part) > 0)
               ORDER BY t.name, t.tag_id LIMIT row_limit)
              UNION ALL
              (SELECT t.tag_id, t.name, t.category, t.owner_id FROM public.tags t
               WHERE t.owner_id IS NULL AND (t.name, t.tag_id) > (after_name, after_tag)
                 AND (last_own IS NULL OR t.name <= last_own)
                 AND (wanted_category IS NULL OR t.category = wanted_category)
                 AND (low_part IS NULL OR strpos(lower(t.name), low_part) > 0)
                 AND (SELECT true FROM public.asset_tags l
                      WHERE l.owner_id = me AND l.tag_id = t.tag_id LIMIT 1)
               ORDER BY t.name, t.tag_id LIMIT row_limit)) p
        ORDER BY p.name, p.tag_id
        LIMIT row_limit;
    END
    $$;
COMMENT ON FUNCTION tags_page(text, integer, text, text, bigint) IS
    'A page by name of the tags that the current user sees, each with the number of his live assets';
ALTER FUNCTION tags_page(text, integer, text, text, bigint) OWNER TO lumilio_policy;
REVOKE ALL ON FUNCTION tags_page(text, integer, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tags_page(text, integer, text, text, bigint)
    TO lumilio_app, lumilio_worker;

ALTER TABLE species_predictions
    ADD COLUMN confidence_e4 integer NOT NULL
        GENERATED ALWAYS AS (round(confidence * 10000)::integer) STORED;
COMMENT ON COLUMN species_predictions.confidence_e4 IS
    'Confidence in ten thousandths: what lists are sorted and cut by';
CREATE INDEX idx_species_predictions_sure
    ON species_predictions (owner_id, species_name, confidence_e4 DESC, asset_id DESC);
DROP INDEX idx_species_predictions_name;
DROP INDEX idx_species_predictions_confidence; -- of everybody's; nothing asks for it

CREATE INDEX idx_file_deletions_page
    ON file_deletions (owner_id, repository_id, not_before, deletion_id);
CREATE INDEX idx_file_deletions_path ON file_deletions USING hash (file_path);
DROP INDEX idx_file_deletions_due;
