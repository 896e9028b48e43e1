-- Repositories: one default per user, switched in one step; none inside another; none deleted while
-- assets are in it. Species: one set of predictions per asset, replaced as a whole.

-- What changes the repositories of one user waits here. The number in front keeps these locks apart
-- from all others.
CREATE FUNCTION repository_lock() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock((19541::bigint << 48) | public.current_user_id());
    END
    $$;

-- Two repositories that share files would each count, move and remove them.
CREATE FUNCTION repository_check_path(new_path text, itself uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        near record;
    BEGIN
        SELECT r.name, r.path INTO near FROM public.repositories r
        WHERE r.repo_id <> itself
          AND (starts_with(new_path || '/', r.path || '/')
               OR starts_with(r.path || '/', new_path || '/'))
        LIMIT 1;
        IF FOUND THEN
            RAISE unique_violation USING MESSAGE = format(
                'repository "%s" (%s) is that folder, around it or inside of it',
                near.name, near.path);
        END IF;
    END
    $$;

-- The first repository of a user is his default one, asked for or not.
CREATE FUNCTION repository_add(new_id uuid, new_name text, new_path text, new_strategy text,
                               make_default boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.repository_lock();
        PERFORM public.repository_check_path(new_path, new_id);
        IF make_default THEN
            UPDATE public.repositories r SET is_default = false, updated_at = now()
            WHERE r.is_default;
        END IF;
        INSERT INTO public.repositories
            (repo_id, name, path, owner_id, storage_strategy, is_default)
        SELECT new_id, new_name, new_path, public.current_user_id(), new_strategy,
               NOT EXISTS (SELECT FROM public.repositories r WHERE r.is_default);
    END
    $$;
COMMENT ON FUNCTION repository_add(uuid, text, text, text, boolean) IS
    'A new repository of the current user';

CREATE FUNCTION repository_make_default(wanted uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.repository_lock();
        UPDATE public.repositories r SET is_default = false, updated_at = now()
        WHERE r.is_default AND r.repo_id <> wanted;
        UPDATE public.repositories r SET is_default = true, updated_at = now()
        WHERE r.repo_id = wanted AND NOT r.is_default;
        IF NOT EXISTS (SELECT FROM public.repositories r WHERE r.repo_id = wanted) THEN
            RAISE no_data_found USING MESSAGE = format('there is no repository %s', wanted);
        END IF;
    END
    $$;
COMMENT ON FUNCTION repository_make_default(uuid) IS 'Where imports go from now on';

-- Its files were moved by somebody else; paths of assets are relative to it.
CREATE FUNCTION repository_move(wanted uuid, new_path text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM public.repository_lock();
        PERFORM public.repository_check_path(new_path, wanted);
        UPDATE public.repositories r SET path = new_path, updated_at = now()
        WHERE r.repo_id = wanted;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = format('there is no repository %s', wanted);
        END IF;
    END
    $$;
COMMENT ON FUNCTION repository_move(uuid, text) IS 'The folder of a repository is elsewhere now';

-- The row's lock waits for imports under way, so that what they add is seen.
CREATE FUNCTION repository_delete(wanted uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    DECLARE
        was_default boolean;
        inside bigint;
    BEGIN
        PERFORM public.repository_lock();
        SELECT r.is_default INTO was_default FROM public.repositories r
        WHERE r.repo_id = wanted FOR UPDATE;
        IF was_default IS NULL THEN
            RAISE no_data_found USING MESSAGE = format('there is no repository %s', wanted);
        END IF;
        SELECT count(*) INTO inside FROM public.assets a
        WHERE a.owner_id = public.current_user_id() AND a.repository_id = wanted;
        IF inside > 0 THEN
            RAISE foreign_key_violation
                USING MESSAGE = format('%s assets are in it, those in the trash included', inside);
        ELSIF was_default AND EXISTS (SELECT FROM public.repositories r
                                      WHERE r.repo_id <> wanted) THEN
            RAISE foreign_key_violation
                USING MESSAGE = 'it is the default one',
                      HINT = 'make another one the default first';
        END IF;
        DELETE FROM public.repositories r WHERE r.repo_id = wanted;
    END
    $$;
COMMENT ON FUNCTION repository_delete(uuid) IS 'Forget an empty repository; its folder stays';

DELETE FROM species_predictions p USING species_predictions o
    WHERE o.asset_id = p.asset_id AND o.species_name = p.species_name
      AND (o.confidence, o.prediction_id) > (p.confidence, p.prediction_id);
UPDATE species_predictions SET confidence = least(greatest(confidence, 0), 1)
    WHERE confidence NOT BETWEEN 0 AND 1;
ALTER TABLE species_predictions
    ADD CONSTRAINT species_predictions_confidence_check CHECK (confidence BETWEEN 0 AND 1),
    ADD CONSTRAINT species_predictions_asset_species_key UNIQUE (asset_id, owner_id, species_name);
CREATE INDEX idx_species_predictions_name
    ON species_predictions (owner_id, species_name, confidence DESC, asset_id);
DROP INDEX idx_species_predictions_owner;
DROP INDEX idx_species_predictions_asset;

-- Two runs of a model at once: the later one's set stays, never a mixture.
CREATE FUNCTION species_save(wanted_asset uuid, names text[], common_names text[],
                             confidences float8[], new_model text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
    AS $$
    BEGIN
        PERFORM FROM public.assets a
        WHERE a.asset_id = wanted_asset AND a.deleted_at IS NULL FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = format('there is no asset %s', wanted_asset);
        END IF;
        DELETE FROM public.species_predictions p WHERE p.asset_id = wanted_asset;
        INSERT INTO public.species_predictions
            (asset_id, owner_id, species_name, common_name, confidence, model_version)
        SELECT wanted_asset, public.current_user_id(), u.name, nullif(u.common, ''),
               round(u.confidence::numeric, 4), new_model
        FROM unnest(names, common_names, confidences) u (name, common, confidence);
    END
    $$;
COMMENT ON FUNCTION species_save(uuid, text[], text[], float8[], text) IS
    'Replace the species predictions of an asset of the current user';

DO $$
DECLARE
    made text;
BEGIN
    FOREACH made IN ARRAY ARRAY['repository_lock()', 'repository_check_path(text, uuid)',
        'repository_add(uuid, text, text, text, boolean)', 'repository_make_default(uuid)',
        'repository_move(uuid, text)', 'repository_delete(uuid)',
        'species_save(uuid, text[], text[], float8[], text)']
    LOOP
        EXECUTE format('ALTER FUNCTION public.%s OWNER TO lumilio_owner', made);
        EXECUTE format('REVOKE ALL ON FUNCTION public.%s FROM PUBLIC', made);
        EXECUTE format('GRANT EXECUTE ON FUNCTION public.%s TO lumilio_app, lumilio_worker', made);
    END LOOP;
END
$$;
