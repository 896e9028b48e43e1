DROP FUNCTION species_save(uuid, text[], text[], float8[], text);
DROP FUNCTION repository_delete(uuid);
DROP FUNCTION repository_move(uuid, text);
DROP FUNCTION repository_make_default(uuid);
DROP FUNCTION repository_add(uuid, text, text, text, boolean);
DROP FUNCTION repository_check_path(text, uuid);
DROP FUNCTION repository_lock();

CREATE INDEX idx_species_predictions_asset ON species_predictions(asset_id);
CREATE INDEX idx_species_predictions_owner ON species_predictions (owner_id);
DROP INDEX idx_species_predictions_name;
ALTER TABLE species_predictions
    DROP CONSTRAINT species_predictions_asset_species_key,
    DROP CONSTRAINT species_predictions_confidence_check;
