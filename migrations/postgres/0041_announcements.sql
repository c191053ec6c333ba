-- What is said in rooms of communities: once in each. What it is about is known by the id, which is made with the index key of the room
-- and of what is said there; nothing here is about anybody.
CREATE TABLE announcements (
    announcement_id UUID    NOT NULL PRIMARY KEY,
    community_id    TEXT    NOT NULL,
    attempts        INTEGER NOT NULL, -- so often it was tried in vain
    due_at          BIGINT,           -- when it is tried, or seen again by whoever has it in hand no more; null: it was said, or given up
    said_at         BIGINT,
    created_at      BIGINT  NOT NULL
);
CREATE INDEX announcements_due ON announcements (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX announcements_by_time ON announcements (created_at);
