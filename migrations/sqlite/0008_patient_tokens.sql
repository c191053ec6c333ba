-- Where a clinic gives the bridge no access of its own: what each member's own SMART launch gave.

CREATE TABLE patient_tokens (
    clinic_id     TEXT    NOT NULL,
    member_id     BLOB    NOT NULL REFERENCES members (member_id),
    sealed_tokens BLOB,             -- tokens, scope and who gave them, with the member's key; erased when refused
    rotation      INTEGER NOT NULL, -- grows with every change of the tokens: who replaces them names the one they read
    state         TEXT    NOT NULL, -- 'good', or 'refused': the member must connect the clinic again
    issued_at     INTEGER NOT NULL, -- when the access token was given
    expires_at    INTEGER NOT NULL, -- when it ends
    connected_at  INTEGER NOT NULL, -- when the member launched
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (clinic_id, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX patient_tokens_by_member ON patient_tokens (member_id);
