-- How clinics' own systems get in: the tokens they were given, and the assertions for which they were given.

-- Only keyed indexes of the tokens are kept.
CREATE TABLE clinic_tokens (
    token_index BLOB    NOT NULL PRIMARY KEY,
    clinic_id   TEXT    NOT NULL,
    scopes      TEXT    NOT NULL, -- as in the OAuth parameter `scope`
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX clinic_tokens_by_end ON clinic_tokens (expires_at);

-- Each assertion is good for one token, whichever replica it is shown to. Forgotten when it would be refused as too old.
CREATE TABLE clinic_assertions (
    clinic_id  TEXT    NOT NULL,
    jti_index  BLOB    NOT NULL, -- keyed index of its `jti`
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (clinic_id, jti_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX clinic_assertions_by_end ON clinic_assertions (expires_at);

-- A clinic reads a consent by its id.
CREATE INDEX grants_by_clinic ON grants (clinic_id, grant_id, version);
