-- What makes a second report of the same thing recognizable. What was reported is kept nowhere but in the outbox, and
-- there only until it has arrived or must not go any more.

CREATE TABLE events (
    community_id TEXT   NOT NULL,
    event_index  BLOB NOT NULL, -- keyed index of the event's source and id
    member_id    BLOB  NOT NULL REFERENCES members (member_id),
    body_index   BLOB NOT NULL, -- keyed index of its content: the same id with another content is a conflict
    received_at  INTEGER NOT NULL,
    PRIMARY KEY (community_id, event_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_member ON events (member_id);
