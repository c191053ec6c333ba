-- How members are linked to their Patient: launches under way, codes that clinics issue, and what the links were that ended.

CREATE TABLE launches (
    state_index   BYTEA   NOT NULL PRIMARY KEY, -- keyed index of OAuth's `state`: the browser brings it back, once
    member_id     UUID    NOT NULL REFERENCES members (member_id),
    clinic_id     TEXT    NOT NULL,
    session_index BYTEA   NOT NULL, -- keyed index of what only this browser's session knows: no other one ends the launch
    sealed_launch BYTEA   NOT NULL, -- PKCE verifier, nonce, and which server was asked; with the member's key
    expires_at    BIGINT  NOT NULL
);
-- A member has one launch under way at a clinic: the next one takes its place.
CREATE UNIQUE INDEX launches_by_member ON launches (member_id, clinic_id);
CREATE INDEX launches_by_end ON launches (expires_at);

-- Codes that a clinic handed to a person, each good once.
CREATE TABLE link_codes (
    code_index     BYTEA   NOT NULL PRIMARY KEY, -- keyed index of clinic and code
    clinic_id      TEXT    NOT NULL,
    patient_index  BYTEA   NOT NULL, -- keyed index of the Patient's id, another one than that of links
    sealed_patient BYTEA   NOT NULL, -- the Patient's id; opens with the code alone
    replaces       BIGINT  NOT NULL, -- 1: the clinic says that the code's holder takes the place of who is linked now
    issued_at      BIGINT  NOT NULL,
    expires_at     BIGINT  NOT NULL
);
-- A new code for the same Patient takes the place of the one before it.
CREATE UNIQUE INDEX link_codes_by_patient ON link_codes (clinic_id, patient_index);
CREATE INDEX link_codes_by_end ON link_codes (expires_at);

-- How many codes were tried within an hour: by a member (clinic_id is empty), or at a clinic (member_id is zero).
CREATE TABLE link_attempts (
    clinic_id TEXT    NOT NULL,
    member_id UUID    NOT NULL,
    hour      BIGINT  NOT NULL, -- hours since 1970
    attempts  BIGINT  NOT NULL,
    PRIMARY KEY (clinic_id, member_id, hour)
);

-- What the clinic's vouching consisted of (server, scopes, who signed in there), sealed with the member's key; null for
-- links that were made before this was kept.
ALTER TABLE links ADD COLUMN sealed_proof BYTEA;
-- Null for the first Patient whom a member is linked to at a clinic. Another one has a keyed index here, from which the
-- identifiers of its resources are made: what was written about one Patient is never taken for something about another.
ALTER TABLE links ADD COLUMN lineage BYTEA;

-- Links that ended. Of the Patient nothing is left but the keyed index, by which it is recognized if it comes back.
CREATE TABLE former_links (
    member_id     UUID    NOT NULL REFERENCES members (member_id),
    clinic_id     TEXT    NOT NULL,
    ordinal       BIGINT  NOT NULL, -- 1 is the first that ended
    patient_index BYTEA   NOT NULL,
    proof         TEXT    NOT NULL,
    sealed_proof  BYTEA,
    linked_at     BIGINT  NOT NULL,
    unlinked_at   BIGINT  NOT NULL,
    ended_by      TEXT    NOT NULL, -- 'member', 'operator', or 'clinic': another member took the place on its word
    PRIMARY KEY (member_id, clinic_id, ordinal)
);
