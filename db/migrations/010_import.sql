-- Crash-safe import: an intent is durable before the file gets its final name, so whatever a crash
-- leaves behind can be finished or taken away. Files are removed only through file_deletions.

-- NULL unless the name on disk was not valid UTF-8 or longer than original_filename may be.
ALTER TABLE assets ADD COLUMN filename_bytes bytea;
COMMENT ON COLUMN assets.filename_bytes IS
    'The name exactly as it was on disk, when original_filename could not hold it';

CREATE TABLE import_intents (
    intent_id uuid PRIMARY KEY,
    owner_id integer NOT NULL REFERENCES users(user_id),
    repository_id uuid NOT NULL,
    state varchar(20) NOT NULL DEFAULT 'received',
    file_path text NOT NULL,
    file_size bigint NOT NULL,
    file_hash text NOT NULL,
    original_filename varchar(255) NOT NULL,
    filename_bytes bytea,
    source_mtime timestamptz,
    asset_id uuid,
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT import_intents_state_check CHECK (state IN ('received', 'committed', 'failed')),
    CONSTRAINT import_intents_repository_owner_fkey FOREIGN KEY (repository_id, owner_id)
        REFERENCES repositories (repo_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX idx_import_intents_open ON import_intents (owner_id, created_at)
    WHERE state = 'received';

CREATE TABLE file_deletions (
    deletion_id bigserial PRIMARY KEY,
    owner_id integer NOT NULL REFERENCES users(user_id),
    repository_id uuid NOT NULL,
    file_path text NOT NULL,
    not_before timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT file_deletions_repository_owner_fkey FOREIGN KEY (repository_id, owner_id)
        REFERENCES repositories (repo_id, owner_id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX idx_file_deletions_due ON file_deletions (owner_id, not_before);

ALTER TABLE import_intents OWNER TO lumilio_owner;
ALTER TABLE file_deletions OWNER TO lumilio_owner;

GRANT SELECT, INSERT, DELETE ON import_intents, file_deletions TO lumilio_app, lumilio_worker;
GRANT UPDATE (state, file_path, asset_id, error_message, updated_at) ON import_intents
    TO lumilio_app, lumilio_worker;
GRANT UPDATE (not_before) ON file_deletions TO lumilio_app, lumilio_worker;
GRANT USAGE ON SEQUENCE file_deletions_deletion_id_seq TO lumilio_app, lumilio_worker;
GRANT SELECT ON import_intents, file_deletions, file_deletions_deletion_id_seq TO lumilio_backup;

ALTER TABLE import_intents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY import_intents_select ON import_intents FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY import_intents_insert ON import_intents FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY import_intents_update ON import_intents FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY import_intents_delete ON import_intents FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());

ALTER TABLE file_deletions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY file_deletions_select ON file_deletions FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
CREATE POLICY file_deletions_insert ON file_deletions FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id());
CREATE POLICY file_deletions_update ON file_deletions FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()) WITH CHECK (owner_id = current_user_id());
CREATE POLICY file_deletions_delete ON file_deletions FOR DELETE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id());
