DROP TRIGGER asset_library_delete ON species_predictions;
DROP TRIGGER asset_library_update ON species_predictions;
DROP TRIGGER asset_library_insert ON species_predictions;
DROP TRIGGER asset_library_delete ON thumbnails;
DROP TRIGGER asset_library_update ON thumbnails;
DROP TRIGGER asset_library_insert ON thumbnails;
DROP TRIGGER asset_library_repository ON assets;
DROP TRIGGER asset_library_delete ON assets;
DROP TRIGGER asset_library_update ON assets;
DROP TRIGGER asset_library_insert ON assets;
CREATE OR REPLACE FUNCTION asset_links_count(ids uuid[], signs integer[]) RETURNS void
    LANGUAGE plpgsql VOLATILE
    AS $$
    BEGIN
        PERFORM public.tag_count_add(c.owner_id, c.tag_id, c.links)
        FROM (SELECT l.owner_id, l.tag_id, sum(u.sign) AS links
              FROM unnest(ids, signs) u (id, sign)
              CROSS JOIN LATERAL (SELECT x.owner_id, x.tag_id FROM public.asset_tags x
                                  WHERE x.asset_id = u.id OFFSET 0) l
              GROUP BY l.owner_id, l.tag_id HAVING sum(u.sign) <> 0
              ORDER BY l.owner_id, l.tag_id) c;
        PERFORM public.album_count_add(c.owner_id, c.album_id, c.members)
        FROM (SELECT m.owner_id, m.album_id, sum(u.sign) AS members
              FROM unnest(ids, signs) u (id, sign)
              CROSS JOIN LATERAL (SELECT x.owner_id, x.album_id FROM public.album_assets x
                                  WHERE x.asset_id = u.id OFFSET 0) m
              GROUP BY m.owner_id, m.album_id HAVING sum(u.sign) <> 0
              ORDER BY m.owner_id, m.album_id) c;
    END
    $$;
DROP FUNCTION count_library();
DROP FUNCTION library_counted(integer);
DROP FUNCTION library_species_change();
DROP FUNCTION library_species_follow();
DROP FUNCTION library_thumbnails_change();
DROP FUNCTION library_thumbnails_add();
DROP FUNCTION library_thumbnails_move();
DROP FUNCTION library_assets_move();
DROP FUNCTION library_assets_follow();
DROP FUNCTION species_tenth(numeric);
DROP FUNCTION asset_facets(boolean, uuid, text, text, text);
DROP FUNCTION library_count_add(integer, text, text, text, bigint, bigint);
DROP TABLE library_counts;
