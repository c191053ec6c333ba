-- Where a clinic gives the bridge no access of its own: what each member's own SMART launch gave.

CREATE TABLE patient_tokens (
    clinic_id     TEXT    NOT NULL,
    member_id     UUID    NOT NULL REFERENCES members (member_id),
    sealed_tokens BYTEA,            -- tokens, scope and who gave them, with the member's key; erased when refused
    rotation      BIGINT  NOT NULL, -- grows with every change of the tokens: who replaces them names the one they read
    state         TEXT    NOT NULL, -- 'good', or 'refused': the member must connect the clinic again
    issued_at     BIGINT  NOT NULL, -- when the access token was given
    expires_at    BIGINT  NOT NULL, -- when it ends
    connected_at  BIGINT  NOT NULL, -- when the member launched
    updated_at    BIGINT  NOT NULL,
    PRIMARY KEY (clinic_id, member_id)
);
CREATE INDEX patient_tokens_by_member ON patient_tokens (member_id);
