-- One-time codes with which members join another community as the same. Of a code only a keyed index is kept.
CREATE TABLE join_codes (
    member_id  BLOB NOT NULL PRIMARY KEY REFERENCES members (member_id), -- a new one takes the place of the one before
    code_index BLOB NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
