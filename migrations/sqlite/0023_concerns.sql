-- Concerns: what a member said wants a human's eye. Nothing of what was answered stands here.

CREATE TABLE concerns (
    concern_id      BLOB    NOT NULL PRIMARY KEY,
    community_id    TEXT    NOT NULL,                              -- whose people look after it
    member_id       BLOB    NOT NULL REFERENCES members (member_id),
    entry_index     BLOB    NOT NULL,                              -- of the entry: no second concern is raised about it
    sealed_concern  BLOB    NOT NULL,                              -- JSON, with the member's key: the rule, and who looks after it
    state           TEXT    NOT NULL,                              -- raised, told, escalated, acknowledged, closed
    raised_at       INTEGER NOT NULL,
    told_at         INTEGER,                                       -- when somebody was told first
    escalated_at    INTEGER,
    acknowledged_at INTEGER,
    closed_at       INTEGER,
    UNIQUE (member_id, community_id, entry_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX concerns_open ON concerns (raised_at) WHERE closed_at IS NULL;
CREATE INDEX concerns_closed ON concerns (closed_at) WHERE closed_at IS NOT NULL;

-- Who is still to be told of a concern, and when. The rows go when somebody acknowledges it.
CREATE TABLE concern_tellings (
    concern_id BLOB    NOT NULL,
    member_id  BLOB    NOT NULL REFERENCES members (member_id),
    level      INTEGER NOT NULL,           -- 1, 2
    due_at     INTEGER NOT NULL,           -- when they are to be told, or it is to be tried again
    attempts   INTEGER NOT NULL DEFAULT 0, -- how often it was tried in vain since they were told last
    told       INTEGER NOT NULL DEFAULT 0, -- how often they were told
    PRIMARY KEY (concern_id, level)
) STRICT, WITHOUT ROWID;
CREATE INDEX concern_tellings_due ON concern_tellings (due_at);
CREATE INDEX concern_tellings_by_member ON concern_tellings (member_id);
