-- Consent: every version of every grant. Versions are added, never rewritten; only state and ended_at change.

CREATE TABLE grants (
    member_id  UUID   NOT NULL REFERENCES members (member_id),
    grant_id   UUID   NOT NULL,
    version    INTEGER NOT NULL,
    clinic_id  TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    terms      TEXT    NOT NULL, -- JSON: categories and detail, purposes, periods
    created_at BIGINT  NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (member_id, grant_id, version)
);
-- A member has one living grant towards a clinic.
CREATE UNIQUE INDEX grants_living ON grants (member_id, clinic_id) WHERE state IN ('active', 'paused');
