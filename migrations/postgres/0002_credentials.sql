-- Who may call the API. Only keyed indexes of the secrets are kept.

CREATE TABLE api_keys (
    key_id       TEXT   NOT NULL PRIMARY KEY, -- the public half: shown in lists, used to revoke
    secret_index BYTEA NOT NULL UNIQUE,
    community_id TEXT   NOT NULL,
    scopes       TEXT   NOT NULL, -- words separated by one space
    created_at   BIGINT NOT NULL,
    revoked_at   BIGINT
);

CREATE TABLE member_tokens (
    token_index BYTEA NOT NULL PRIMARY KEY,
    member_id   UUID  NOT NULL REFERENCES members (member_id),
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX member_tokens_by_member ON member_tokens (member_id);
