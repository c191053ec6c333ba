-- One-page summaries for clinics.

-- What a page in the outbox tells: its parts, as JSON, each under a consent of its own. Its kind is 'page'; a program of the
-- release before this one refuses it. Switch pages on when every replica is of this release.
ALTER TABLE outbox ADD COLUMN parts TEXT;

-- The pages that were made, or are to be made or looked at anew.
CREATE TABLE pages (
    member_id  UUID    NOT NULL REFERENCES members (member_id),
    clinic_id  TEXT    NOT NULL,
    first_day  TEXT    NOT NULL, -- of the week that it is about: the member's date, as in 2026-11-16
    due        INTEGER NOT NULL, -- 1: something changed; 2: somebody asked for it; 0: neither; -1: it stays as it is
    identifier TEXT,             -- value of the resource's identifier; null until it was made
    PRIMARY KEY (member_id, clinic_id, first_day)
);
