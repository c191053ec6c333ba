-- Who may call the API. Only keyed indexes of the secrets are kept.

CREATE TABLE api_keys (
    key_id       TEXT   NOT NULL PRIMARY KEY, -- the public half: shown in lists, used to revoke
    secret_index BLOB NOT NULL UNIQUE,
    community_id TEXT   NOT NULL,
    scopes       TEXT   NOT NULL, -- words separated by one space
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE member_tokens (
    token_index BLOB NOT NULL PRIMARY KEY,
    member_id   BLOB  NOT NULL REFERENCES members (member_id),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX member_tokens_by_member ON member_tokens (member_id);
