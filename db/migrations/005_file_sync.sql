CREATE TABLE file_records (
    id BIGSERIAL PRIMARY KEY,
    repository_id UUID NOT NULL REFERENCES repositories(repo_id) ON DELETE CASCADE,
    file_path TEXT NOT NULL,
    file_size BIGINT NOT NULL,
    mod_time TIMESTAMP NOT NULL,
    content_hash TEXT,
    last_scanned TIMESTAMP NOT NULL,
    scan_generation INTEGER DEFAULT 0,
    created_at TIMESTAMP DEFAULT NOW(),
    updated_at TIMESTAMP DEFAULT NOW(),
    CONSTRAINT file_records_unique UNIQUE (repository_id, file_path)
);

CREATE INDEX idx_file_records_repo ON file_records(repository_id);
CREATE INDEX idx_file_records_hash ON file_records(content_hash);
CREATE INDEX idx_file_records_scanned ON file_records(last_scanned);

CREATE TABLE sync_operations (
    id BIGSERIAL PRIMARY KEY,
    repository_id UUID NOT NULL REFERENCES repositories(repo_id) ON DELETE CASCADE,
    operation_type TEXT NOT NULL,
    files_scanned INTEGER DEFAULT 0,
    files_added INTEGER DEFAULT 0,
    files_updated INTEGER DEFAULT 0,
    files_removed INTEGER DEFAULT 0,
    start_time TIMESTAMP NOT NULL,
    end_time TIMESTAMP,
    duration_ms BIGINT,
    status TEXT NOT NULL,
    error_message TEXT,
    created_at TIMESTAMP DEFAULT NOW()
);

CREATE INDEX idx_sync_ops_repo ON sync_operations(repository_id);
CREATE INDEX idx_sync_ops_time ON sync_operations(start_time DESC);
