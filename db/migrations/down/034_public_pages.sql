CREATE OR REPLACE FUNCTION public_album_assets(wanted_album integer, after_position bigint,
                                               after_asset uuid, row_limit integer)
    RETURNS TABLE ("position" bigint, asset_id uuid, original_filename text, asset_type text,
                   mime_type text, width integer, height integer, duration numeric,
                   taken_local timestamp, description text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT m.position, a.asset_id, a.original_filename, a.asset_type, a.mime_type, a.width,
               a.height, a.duration, a.taken_local, a.description
        FROM public.albums b
        JOIN public.album_assets m ON m.owner_id = b.owner_id AND m.album_id = b.album_id
        JOIN public.assets a ON a.asset_id = m.asset_id
        WHERE b.album_id = wanted_album AND b.is_public AND b.deleted_at IS NULL
          AND a.deleted_at IS NULL AND public.current_user_id() IS NOT NULL
          AND (m.position, m.asset_id) > (after_position, after_asset)
        ORDER BY m.position, m.asset_id
        LIMIT row_limit
    $$;
