-- Uniqueness within an owner. A unique index does not ask the policies: with (asset, size) alone, one
-- who named a foreign asset was told another thing than one who named none.
ALTER TABLE thumbnails
    DROP CONSTRAINT thumbnails_asset_id_size_key,
    ADD CONSTRAINT thumbnails_asset_size_key UNIQUE (asset_id, owner_id, size);
ALTER TABLE embeddings
    DROP CONSTRAINT embeddings_asset_model_key,
    ADD CONSTRAINT embeddings_asset_model_key UNIQUE (asset_id, owner_id, model_version);
