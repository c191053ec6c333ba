-- One-time codes with which members join another community as the same. Of a code only a keyed index is kept.
CREATE TABLE join_codes (
    member_id  UUID NOT NULL PRIMARY KEY REFERENCES members (member_id), -- a new one takes the place of the one before
    code_index BYTEA NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);
