-- What clinics publish for everybody to read. A row is one version of a text and is never changed: the bridge has no statement that
-- would, these triggers refuse any other, and what somebody changes who gets past both is not shown, because they lack the key of `mac`.
CREATE TABLE materials (
    material_id  BLOB    NOT NULL,
    version      INTEGER NOT NULL, -- from 1 on
    clinic_id    TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    text         TEXT    NOT NULL, -- paragraphs, with an empty line between them
    link         TEXT,
    sha256       BLOB    NOT NULL, -- of the text
    staff_id     BLOB    NOT NULL, -- who published it, as in staff_sessions
    published_at INTEGER NOT NULL,
    mac          BLOB    NOT NULL, -- made with the index key of everything above
    PRIMARY KEY (material_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX materials_by_clinic ON materials (clinic_id, published_at);
CREATE TRIGGER materials_stay BEFORE UPDATE ON materials BEGIN SELECT RAISE(ABORT, 'what is published is never changed'); END;

-- What they took back, in all its versions.
CREATE TABLE material_retractions (
    material_id  BLOB    NOT NULL PRIMARY KEY,
    clinic_id    TEXT    NOT NULL,
    staff_id     BLOB    NOT NULL, -- who took it back
    retracted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX material_retractions_by_time ON material_retractions (retracted_at);
