-- Deliveries that change what stands in an EHR, what an EHR said about what it refused, and what is known of each EHR.

-- create, correct or retract: what becomes of the resource with the item's identifier.
ALTER TABLE outbox ADD COLUMN operation TEXT NOT NULL DEFAULT 'create';
-- The OperationOutcome with which it was refused, sealed with the member's key; erased with the content.
ALTER TABLE outbox ADD COLUMN sealed_answer BLOB;

-- One create for one resource at one clinic, unless it was withdrawn before it was sent: then consent given anew may
-- send it anew. Corrections and the retraction follow it on its lane.
DROP INDEX outbox_by_identifier;
CREATE UNIQUE INDEX outbox_creates ON outbox (identifier) WHERE state <> 'withdrawn' AND operation = 'create';
CREATE INDEX outbox_by_identifier ON outbox (identifier);

-- Each clinic's lanes are claimed apart: one slow clinic never delays another.
DROP INDEX lanes_by_due;
CREATE INDEX lanes_by_due ON lanes (clinic_id, due_at) WHERE due_at IS NOT NULL;

-- What the EHR of a clinic takes, as it last said, and how it is doing.
CREATE TABLE clinics (
    clinic_id     TEXT    NOT NULL PRIMARY KEY,
    rung          TEXT,    -- the highest rung of the write ladder that it takes; null until it was asked
    learned_at    INTEGER, -- when it was asked
    trouble       TEXT,    -- why it is left in peace, if it is: a code
    trouble_until INTEGER  -- until when
) STRICT, WITHOUT ROWID;
