-- Deliveries to clinics: one lane for each clinic and member, worked by one sender at a time, in order.

CREATE TABLE lanes (
    clinic_id   TEXT   NOT NULL,
    member_id   UUID  NOT NULL REFERENCES members (member_id),
    last_seq    BIGINT NOT NULL,
    due_at      BIGINT,           -- when its first open item is due; null when nothing is open
    lease_until BIGINT NOT NULL,  -- until then one worker has the lane for itself
    fence       BIGINT NOT NULL,  -- grows with each lease: a worker whose lease ran out can no longer settle
    PRIMARY KEY (clinic_id, member_id)
);
CREATE INDEX lanes_by_due ON lanes (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE outbox (
    clinic_id      TEXT    NOT NULL,
    member_id      UUID   NOT NULL REFERENCES members (member_id),
    seq            BIGINT  NOT NULL,
    delivery_id    UUID   NOT NULL UNIQUE,
    grant_id       UUID   NOT NULL,
    category       TEXT    NOT NULL,
    measured_at    BIGINT  NOT NULL,
    resource_type  TEXT    NOT NULL,
    identifier     TEXT    NOT NULL, -- value of Resource.identifier, the same for every attempt
    sealed_payload BYTEA,           -- FHIR JSON; erased once it is confirmed or withdrawn
    state          TEXT    NOT NULL,
    attempts       INTEGER NOT NULL,
    due_at         BIGINT  NOT NULL,
    reason         TEXT,             -- why it stands where it stands: a code, never content
    created_at     BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL,
    PRIMARY KEY (clinic_id, member_id, seq)
);
-- What is still open, by lane: the head of a lane is found without touching what is done.
CREATE INDEX outbox_open ON outbox (clinic_id, member_id, seq)
    WHERE state IN ('ready', 'sending', 'retry', 'unknown');

-- One delivery for one resource at one clinic, unless it was withdrawn before it was sent: then consent given anew may
-- send it anew.
CREATE UNIQUE INDEX outbox_by_identifier ON outbox (identifier) WHERE state <> 'withdrawn';

-- What stands where in which EHR.
CREATE TABLE ledger (
    clinic_id     TEXT   NOT NULL,
    member_id     UUID  NOT NULL REFERENCES members (member_id),
    identifier    TEXT   NOT NULL,
    resource_type TEXT   NOT NULL,
    ehr_id        TEXT   NOT NULL, -- the id the EHR gave it
    ehr_version   TEXT,
    delivery_id   UUID  NOT NULL,
    confirmed_at  BIGINT NOT NULL,
    PRIMARY KEY (clinic_id, member_id, identifier)
);
