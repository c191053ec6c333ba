-- Which version of a community's rules a member agreed to, and of which they were told.
CREATE TABLE agreements (
    member_id      BLOB    NOT NULL REFERENCES members (member_id),
    community_id   TEXT    NOT NULL,
    agreed_version TEXT,              -- a day; none: they have agreed to none yet
    agreed_at      INTEGER,
    told_version   TEXT,              -- a day; none: they were told of none yet
    told_key       BLOB,              -- of what they said when they were told: whoever says it again is told again
    PRIMARY KEY (member_id, community_id)
) STRICT, WITHOUT ROWID;
