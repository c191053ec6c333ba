-- What an item of the outbox tells, so that the second decision knows as much of it as the first.

-- 'fact', 'consent' (how a consent stands) or 'mark' (what was sent is to be marked as entered in error). A program of the
-- release before this one takes a 'consent' for a note, and cannot open it.
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'fact';
-- How fine it is.
ALTER TABLE outbox ADD COLUMN detail TEXT NOT NULL DEFAULT 'every-entry';
-- Its sensitivity labels beside those of its category, parted by spaces.
ALTER TABLE outbox ADD COLUMN labels TEXT NOT NULL DEFAULT '';
-- The one practitioner whom it is addressed to; null: nobody in particular.
ALTER TABLE outbox ADD COLUMN addressee BLOB;
