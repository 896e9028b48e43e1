-- repository_id gets its foreign key in 004, where repositories is created.
CREATE TABLE assets (
    asset_id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    original_filename VARCHAR(255) NOT NULL,
    file_path TEXT NOT NULL,
    file_size BIGINT NOT NULL,
    file_hash TEXT,
    mime_type VARCHAR(100),
    asset_type VARCHAR(20) NOT NULL,
    repository_id UUID,
    owner_id INTEGER REFERENCES users(user_id) ON DELETE SET NULL,
    uploaded_at TIMESTAMP NOT NULL,
    taken_at TIMESTAMP,
    created_at TIMESTAMP DEFAULT NOW(),
    updated_at TIMESTAMP DEFAULT NOW(),
    camera_make VARCHAR(100),
    camera_model VARCHAR(100),
    lens_model VARCHAR(100),
    iso INTEGER,
    aperture NUMERIC(5,2),
    shutter_speed VARCHAR(50),
    focal_length NUMERIC(6,2),
    latitude NUMERIC(10,8),
    longitude NUMERIC(11,8),
    altitude NUMERIC(10,2),
    width INTEGER,
    height INTEGER,
    duration NUMERIC(10,2),
    description TEXT,
    rating INTEGER CHECK (rating >= 0 AND rating <= 5),
    liked BOOLEAN DEFAULT false,
    is_raw BOOLEAN DEFAULT false,
    is_transcoded BOOLEAN DEFAULT false,
    transcoded_path TEXT
);

CREATE INDEX idx_assets_type ON assets(asset_type);
CREATE INDEX idx_assets_repository ON assets(repository_id);
CREATE INDEX idx_assets_owner ON assets(owner_id);
CREATE INDEX idx_assets_hash ON assets(file_hash);
CREATE INDEX idx_assets_uploaded ON assets(uploaded_at DESC);
CREATE INDEX idx_assets_taken ON assets(taken_at DESC);
CREATE INDEX idx_assets_rating ON assets(rating DESC);
CREATE INDEX idx_assets_liked ON assets(liked) WHERE liked = true;
CREATE INDEX idx_assets_camera ON assets(camera_make, camera_model);
CREATE INDEX idx_assets_owner_type_uploaded ON assets(owner_id, asset_type, uploaded_at DESC);
CREATE INDEX idx_assets_filename_gin ON assets USING gin(to_tsvector('english', original_filename));

CREATE TABLE thumbnails (
    thumbnail_id SERIAL PRIMARY KEY,
    asset_id UUID REFERENCES assets(asset_id) ON DELETE CASCADE,
    size VARCHAR(20) NOT NULL,
    file_path TEXT NOT NULL,
    file_size BIGINT,
    width INTEGER,
    height INTEGER,
    mime_type VARCHAR(100),
    created_at TIMESTAMP DEFAULT NOW(),
    UNIQUE(asset_id, size)
);

CREATE INDEX idx_thumbnails_asset ON thumbnails(asset_id);

CREATE TABLE embeddings (
    embedding_id SERIAL PRIMARY KEY,
    asset_id UUID REFERENCES assets(asset_id) ON DELETE CASCADE,
    embedding vector(512),
    model_version VARCHAR(50) DEFAULT 'clip-vit-base',
    created_at TIMESTAMP DEFAULT NOW(),
    UNIQUE(asset_id)
);

CREATE INDEX idx_embeddings_vector ON embeddings
    USING hnsw (embedding vector_cosine_ops)
    WITH (m = 16, ef_construction = 64);

CREATE TABLE species_predictions (
    prediction_id SERIAL PRIMARY KEY,
    asset_id UUID REFERENCES assets(asset_id) ON DELETE CASCADE,
    species_name VARCHAR(255) NOT NULL,
    common_name VARCHAR(255),
    confidence NUMERIC(5,4) NOT NULL,
    model_version VARCHAR(50),
    created_at TIMESTAMP DEFAULT NOW()
);

CREATE INDEX idx_species_predictions_asset ON species_predictions(asset_id);
CREATE INDEX idx_species_predictions_confidence ON species_predictions(confidence DESC);
