-- Tags that the seed's users shared stay with those who use them.
DROP FUNCTION tag_delete(integer);
DROP FUNCTION tag_merge(integer[], integer);
DROP FUNCTION tag_rename(integer, text);
DROP FUNCTION tag_kind(integer);
DROP FUNCTION tag_asset(uuid, text[], float8[], text, boolean);
DROP FUNCTION tag_share(uuid, text, numeric, text);
DROP FUNCTION tag_create(text, text);
DROP FUNCTION tag_own(text, text);
DROP FUNCTION tag_adopt(integer, text);
DROP FUNCTION tag_lock(text[]);
REVOKE INSERT ON tags, asset_tags FROM lumilio_policy;
REVOKE UPDATE (confidence, source) ON asset_tags FROM lumilio_policy;

DROP POLICY asset_tags_update ON asset_tags;
DROP POLICY asset_tags_insert ON asset_tags;
DROP POLICY tags_select ON tags;
DROP FUNCTION sees_tag(integer);
CREATE POLICY tags_select ON tags FOR SELECT TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id()
           OR (owner_id IS NULL AND current_user_id() IS NOT NULL));
CREATE POLICY asset_tags_insert ON asset_tags FOR INSERT TO lumilio_app, lumilio_worker
    WITH CHECK (owner_id = current_user_id()
                AND EXISTS (SELECT FROM tags t WHERE t.tag_id = asset_tags.tag_id));
CREATE POLICY asset_tags_update ON asset_tags FOR UPDATE TO lumilio_app, lumilio_worker
    USING (owner_id = current_user_id())
    WITH CHECK (owner_id = current_user_id()
                AND EXISTS (SELECT FROM tags t WHERE t.tag_id = asset_tags.tag_id));

ALTER TABLE asset_tags
    DROP CONSTRAINT asset_tags_source_check,
    ALTER COLUMN confidence DROP NOT NULL,
    ALTER COLUMN confidence DROP DEFAULT,
    ALTER COLUMN source DROP NOT NULL,
    ALTER COLUMN source DROP DEFAULT;
