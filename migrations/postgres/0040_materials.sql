-- What clinics publish for everybody to read. A row is one version of a text and is never changed: the bridge has no statement that
-- would, these triggers refuse any other, and what somebody changes who gets past both is not shown, because they lack the key of `mac`.
CREATE TABLE materials (
    material_id  UUID   NOT NULL,
    version      BIGINT NOT NULL, -- from 1 on
    clinic_id    TEXT   NOT NULL,
    language     TEXT   NOT NULL,
    title        TEXT   NOT NULL,
    text         TEXT   NOT NULL, -- paragraphs, with an empty line between them
    link         TEXT,
    sha256       BYTEA  NOT NULL, -- of the text
    staff_id     UUID   NOT NULL, -- who published it, as in staff_sessions
    published_at BIGINT NOT NULL,
    mac          BYTEA  NOT NULL, -- made with the index key of everything above
    PRIMARY KEY (material_id, version)
);
CREATE INDEX materials_by_clinic ON materials (clinic_id, published_at);
CREATE FUNCTION materials_stay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'what is published is never changed'; END $$;
CREATE TRIGGER materials_stay BEFORE UPDATE ON materials FOR EACH ROW EXECUTE FUNCTION materials_stay();

-- What they took back, in all its versions.
CREATE TABLE material_retractions (
    material_id  UUID   NOT NULL PRIMARY KEY,
    clinic_id    TEXT   NOT NULL,
    staff_id     UUID   NOT NULL, -- who took it back
    retracted_at BIGINT NOT NULL
);
CREATE INDEX material_retractions_by_time ON material_retractions (retracted_at);
