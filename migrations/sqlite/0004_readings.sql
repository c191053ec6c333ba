-- What members reported, sealed, and what makes a second report of the same thing recognizable.

CREATE TABLE events (
    community_id TEXT   NOT NULL,
    event_index  BLOB NOT NULL, -- keyed index of the event's source and id
    member_id    BLOB  NOT NULL REFERENCES members (member_id),
    body_index   BLOB NOT NULL, -- keyed index of its content: the same id with another content is a conflict
    received_at  INTEGER NOT NULL,
    PRIMARY KEY (community_id, event_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_member ON events (member_id);

CREATE TABLE readings (
    member_id      BLOB  NOT NULL REFERENCES members (member_id),
    reading_id     BLOB  NOT NULL,
    category       TEXT   NOT NULL,
    measured_at    INTEGER NOT NULL,
    sealed_reading BLOB NOT NULL,
    PRIMARY KEY (member_id, reading_id)
) STRICT, WITHOUT ROWID;
