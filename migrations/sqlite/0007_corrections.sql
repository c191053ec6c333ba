-- Entries that their member changes or deletes. The event that first reports an entry names it for ever; what becomes of
-- it is noted in that event's row. Where that event itself never came, only a later version, its body_index is empty.

-- mood, note or tags; null for a retraction, and for what was taken before this was kept.
ALTER TABLE events ADD COLUMN category TEXT;
-- Whose later version this event is: the event_index of the first report; null for a first report.
ALTER TABLE events ADD COLUMN entry_index BLOB;
-- Keyed index of what the entry's newest version says; null while that is what its first report says.
ALTER TABLE events ADD COLUMN newest_index BLOB;
-- When the member deleted the entry; null while it stands.
ALTER TABLE events ADD COLUMN retracted_at INTEGER;

-- Keyed index of what the item tells the clinic; null for a retraction, and for what was put there before this was kept:
-- that says what the first report says.
ALTER TABLE outbox ADD COLUMN content_index BLOB;
