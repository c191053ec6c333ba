-- Erasure of a member, and the replacement of the master key.

-- When the master key that wraps it now took over; null for the first one.
ALTER TABLE data_keys ADD COLUMN wrapped_at BIGINT;

-- Members who are to be erased, and what is left of those who were: nothing personal but the opaque id.
CREATE TABLE erasures (
    erasure_id        UUID    NOT NULL PRIMARY KEY,
    member_id         UUID    NOT NULL, -- no reference: this row outlives the member
    state             TEXT    NOT NULL, -- requested, upstream, erased, cancelled
    ask_clinics       BOOLEAN NOT NULL, -- whether clinics are asked to mark what was sent as entered in error
    certificate_index BYTEA   NOT NULL UNIQUE, -- keyed index of the secret under which the certificate is had
    sealed_secret     BYTEA,            -- that secret, with the member's key; gone with it
    requested_at      BIGINT  NOT NULL,
    due_at            BIGINT  NOT NULL, -- when it is looked at next: at first, the end of the grace
    upstream_until    BIGINT,           -- how long clinics are waited for
    ended_at          BIGINT,           -- when it was done, or cancelled
    certificate       TEXT              -- what was erased: a JWS, or plain JSON where nothing could sign
);
-- One at a time.
CREATE UNIQUE INDEX erasures_living ON erasures (member_id) WHERE state IN ('requested', 'upstream');
CREATE INDEX erasures_by_due ON erasures (due_at) WHERE state IN ('requested', 'upstream');
CREATE INDEX erasures_by_end ON erasures (ended_at) WHERE state = 'erased';

-- Everything of one member is found without reading what belongs to others.
CREATE INDEX lanes_by_member ON lanes (member_id);
CREATE INDEX outbox_by_member ON outbox (member_id);
CREATE INDEX ledger_by_member ON ledger (member_id);
