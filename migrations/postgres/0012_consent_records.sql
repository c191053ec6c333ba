-- What an item of the outbox tells, so that the second decision knows as much of it as the first.

-- 'fact', 'consent' (how a consent stands) or 'mark' (what was sent is to be marked as entered in error). A program of the
-- release before this one takes a 'consent' for a note, and cannot open it.
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'fact';
-- How fine it is.
ALTER TABLE outbox ADD COLUMN detail TEXT NOT NULL DEFAULT 'every-entry';
-- Its sensitivity labels beside those of its category, parted by spaces.
ALTER TABLE outbox ADD COLUMN labels TEXT NOT NULL DEFAULT '';
-- The one practitioner whom it is addressed to; null: nobody in particular.
ALTER TABLE outbox ADD COLUMN addressee UUID;
-- How consents stand is told although other items wait for the end of a pause.
CREATE INDEX outbox_open_standings ON outbox (clinic_id, member_id, seq)
    WHERE kind = 'consent' AND state IN ('ready', 'sending', 'retry', 'unknown');

-- Every text that members had before them when they decided, as it was.
CREATE TABLE notices (
    hash          TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of the text, in hexadecimal
    version       INTEGER NOT NULL,
    language      TEXT    NOT NULL,
    text          TEXT    NOT NULL,
    first_used_at BIGINT  NOT NULL
);

-- What members did with their grants, and what proves it.
CREATE TABLE consent_records (
    member_id           UUID    NOT NULL REFERENCES members (member_id),
    grant_id            UUID    NOT NULL,
    seq                 INTEGER NOT NULL, -- counts the changes of the grant
    version             INTEGER NOT NULL, -- the version that was made, or changed
    change              TEXT    NOT NULL, -- given, changed, paused, resumed, revoked
    method              TEXT    NOT NULL, -- portal, api, operator, chat
    notice_hash         TEXT,             -- the text they had before them; null: nobody knows
    notice_version      INTEGER,
    notice_language     TEXT,
    sealed_practitioner BYTEA  ,          -- the one practitioner this version is for, with the member's key
    receipt_id          UUID    NOT NULL,
    sealed_receipt      BYTEA   NOT NULL, -- the signed receipt, with the member's key
    recorded_at         BIGINT  NOT NULL,
    PRIMARY KEY (member_id, grant_id, seq),
    UNIQUE (member_id, receipt_id)
);
