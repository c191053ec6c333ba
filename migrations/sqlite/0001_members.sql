-- Members and the names under which communities know them. Times are microseconds since 1970 (UTC) everywhere.

-- Keys of the database itself, wrapped by the master key: 'index' computes every keyed index.
CREATE TABLE data_keys (
    name       TEXT   NOT NULL PRIMARY KEY,
    sealed_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    member_id  BLOB  NOT NULL PRIMARY KEY,
    sealed_key BLOB NOT NULL, -- the member's own key, wrapped by the master key: without it nothing of them opens
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A member's handle in a community: found by its keyed index, read only by opening it.
CREATE TABLE handles (
    community_id  TEXT   NOT NULL,
    handle_index  BLOB NOT NULL,
    member_id     BLOB  NOT NULL REFERENCES members (member_id),
    sealed_handle BLOB NOT NULL,
    PRIMARY KEY (community_id, handle_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX handles_by_member ON handles (member_id);

-- A member's Patient at a clinic. One Patient belongs to one member.
CREATE TABLE links (
    member_id      BLOB  NOT NULL REFERENCES members (member_id),
    clinic_id      TEXT   NOT NULL,
    patient_index  BLOB NOT NULL,
    sealed_patient BLOB NOT NULL,
    proof          TEXT   NOT NULL, -- how the clinic vouched for it
    linked_at      INTEGER NOT NULL,
    PRIMARY KEY (member_id, clinic_id),
    UNIQUE (clinic_id, patient_index)
) STRICT, WITHOUT ROWID;
