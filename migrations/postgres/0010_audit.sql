-- The audit log: chains of entries, each covered by an HMAC over itself, its place and the one before it. The key is in
-- data_keys ('audit'), wrapped by the master key. Nothing here refers to members: entries outlive them.
--
-- A program of the release before this one writes no entries: what it does while both run is not in the log.

CREATE TABLE audit_entries (
    member_id   UUID    NOT NULL, -- nil (all zeros) where the chain concerns no member
    clinic_id   TEXT    COLLATE "C" NOT NULL, -- empty where it concerns no clinic; both: the house
    seq         BIGINT  NOT NULL, -- from 1, without a gap
    at          BIGINT  NOT NULL,
    kind        TEXT    NOT NULL, -- a word of domain/audit/event.rs
    body        TEXT    NOT NULL, -- JSON: opaque ids and codes
    sealed_body BYTEA,            -- what would point to a person, with the member's key
    mac         BYTEA   NOT NULL,
    PRIMARY KEY (member_id, clinic_id, seq)
);

-- How far each chain goes, covered by an HMAC of its own: entries cut off the end are missed.
CREATE TABLE audit_heads (
    member_id  UUID    NOT NULL,
    clinic_id  TEXT    COLLATE "C" NOT NULL,
    seq        BIGINT  NOT NULL,
    last_mac   BYTEA   NOT NULL,
    changed_at BIGINT  NOT NULL,
    mac        BYTEA   NOT NULL,
    PRIMARY KEY (member_id, clinic_id)
) WITH (fillfactor = 70);

-- Which version of a grant let the item go: written when it is marked as being sent.
ALTER TABLE outbox ADD COLUMN cleared_grant_id UUID;
ALTER TABLE outbox ADD COLUMN cleared_version INTEGER;
