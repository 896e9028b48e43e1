-- Albums in the trash and smart albums go: the seed's table cannot hold them.
DROP FUNCTION public_album_assets(integer, bigint, uuid, integer);
DROP FUNCTION public_albums(integer, integer);
DROP FUNCTION album_remove(integer, uuid[]);
DROP FUNCTION album_reorder(integer, uuid[]);
DROP FUNCTION album_place(integer, uuid[], bigint, uuid, boolean);
DROP FUNCTION album_gap(integer, uuid, uuid[], integer);
DROP FUNCTION album_spread(integer, bigint, uuid, integer);
DROP FUNCTION album_lock(integer);

DROP INDEX idx_album_assets_order;
UPDATE album_assets m SET position = o.rank
FROM (SELECT album_id, asset_id,
             row_number() OVER (PARTITION BY album_id ORDER BY position, asset_id) AS rank
      FROM album_assets) o
WHERE o.album_id = m.album_id AND o.asset_id = m.asset_id;
ALTER TABLE album_assets
    ALTER COLUMN position DROP NOT NULL,
    ALTER COLUMN position DROP DEFAULT,
    ALTER COLUMN position TYPE integer;
CREATE INDEX idx_album_assets_album ON album_assets(album_id, position);

DROP INDEX idx_albums_public;
DELETE FROM albums WHERE deleted_at IS NOT NULL OR filter IS NOT NULL;
ALTER TABLE albums
    DROP CONSTRAINT albums_filter_check,
    DROP COLUMN filter,
    DROP COLUMN deleted_at;
CREATE INDEX idx_albums_owner ON albums(owner_id);
DROP INDEX idx_albums_owner_page;
