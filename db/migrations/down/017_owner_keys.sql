ALTER TABLE embeddings
    DROP CONSTRAINT embeddings_asset_model_key,
    ADD CONSTRAINT embeddings_asset_model_key UNIQUE (asset_id, model_version);
ALTER TABLE thumbnails
    DROP CONSTRAINT thumbnails_asset_size_key,
    ADD CONSTRAINT thumbnails_asset_id_size_key UNIQUE (asset_id, size);
