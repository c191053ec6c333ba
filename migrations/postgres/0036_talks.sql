-- Where members' talks with the companion stand.
CREATE TABLE talks (
    member_id   UUID    NOT NULL PRIMARY KEY REFERENCES members (member_id),
    sealed_talk BYTEA   NOT NULL, -- JSON, with the member's key
    updated_at  BIGINT  NOT NULL
);
CREATE INDEX talks_updated ON talks (updated_at);
