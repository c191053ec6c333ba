-- How clinics' own systems get in: the tokens they were given, and the assertions for which they were given.

-- Only keyed indexes of the tokens are kept.
CREATE TABLE clinic_tokens (
    token_index BYTEA   NOT NULL PRIMARY KEY,
    clinic_id   TEXT    NOT NULL,
    scopes      TEXT    NOT NULL, -- as in the OAuth parameter `scope`
    created_at  BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL
);
CREATE INDEX clinic_tokens_by_end ON clinic_tokens (expires_at);

-- Each assertion is good for one token, whichever replica it is shown to. Forgotten when it would be refused as too old.
CREATE TABLE clinic_assertions (
    clinic_id  TEXT    NOT NULL,
    jti_index  BYTEA   NOT NULL, -- keyed index of its `jti`
    expires_at BIGINT  NOT NULL,
    PRIMARY KEY (clinic_id, jti_index)
);
CREATE INDEX clinic_assertions_by_end ON clinic_assertions (expires_at);

-- A clinic reads a consent by its id.
CREATE INDEX grants_by_clinic ON grants (clinic_id, grant_id, version);
