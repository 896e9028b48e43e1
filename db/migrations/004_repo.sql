CREATE TABLE repositories (
    repo_id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    path TEXT NOT NULL UNIQUE,
    owner_id INTEGER REFERENCES users(user_id) ON DELETE SET NULL,
    storage_strategy VARCHAR(20) DEFAULT 'date',
    is_default BOOLEAN DEFAULT false,
    created_at TIMESTAMP DEFAULT NOW(),
    updated_at TIMESTAMP DEFAULT NOW()
);

CREATE INDEX idx_repositories_owner ON repositories(owner_id);
CREATE INDEX idx_repositories_default ON repositories(is_default);

ALTER TABLE assets ADD CONSTRAINT assets_repository_id_fkey
    FOREIGN KEY (repository_id) REFERENCES repositories(repo_id) ON DELETE CASCADE;
