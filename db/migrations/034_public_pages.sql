-- A page of a public album was sorted out of the whole album: the album's owner was not known before
-- the join, so its members did not come in their order. Now the owner is asked for first.
CREATE OR REPLACE FUNCTION public_album_assets(wanted_album integer, after_position bigint,
                                               after_asset uuid, row_limit integer)
    RETURNS TABLE ("position" bigint, asset_id uuid, original_filename text, asset_type text,
                   mime_type text, width integer, height integer, duration numeric,
                   taken_local timestamp, description text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT m.position, a.asset_id, a.original_filename, a.asset_type, a.mime_type, a.width,
               a.height, a.duration, a.taken_local, a.description
        FROM public.album_assets m
        JOIN public.assets a ON a.asset_id = m.asset_id
        WHERE m.album_id = wanted_album
          AND m.owner_id = (SELECT b.owner_id FROM public.albums b
                            WHERE b.album_id = wanted_album AND b.is_public
                              AND b.deleted_at IS NULL)
          AND a.deleted_at IS NULL AND public.current_user_id() IS NOT NULL
          AND (m.position, m.asset_id) > (after_position, after_asset)
        ORDER BY m.position, m.asset_id
        LIMIT row_limit
    $$;
