-- Where members' talks with the companion stand.
CREATE TABLE talks (
    member_id   BLOB    NOT NULL PRIMARY KEY REFERENCES members (member_id),
    sealed_talk BLOB    NOT NULL, -- JSON, with the member's key
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX talks_updated ON talks (updated_at);
