CREATE INDEX idx_file_deletions_due ON file_deletions (owner_id, not_before);
DROP INDEX idx_file_deletions_path;
DROP INDEX idx_file_deletions_page;
CREATE INDEX idx_species_predictions_confidence ON species_predictions (confidence DESC);
CREATE INDEX idx_species_predictions_name
    ON species_predictions (owner_id, species_name, confidence DESC, asset_id);
DROP INDEX idx_species_predictions_sure;
ALTER TABLE species_predictions DROP COLUMN confidence_e4;
DROP FUNCTION tags_page(text, integer, text, text, bigint);
DROP POLICY tags_select ON tags;
CREATE POLICY tags_select ON tags FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()
           OR (owner_id IS NULL
               AND EXISTS (SELECT FROM asset_tags l
                           WHERE l.tag_id = tags.tag_id AND l.owner_id = current_user_id())));
