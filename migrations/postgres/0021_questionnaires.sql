-- Questionnaires: what one reading is told as, and what is not finished.

-- Whether an item is a part of what another one tells as a whole: it goes only where each part has a form of its own.
ALTER TABLE outbox ADD COLUMN is_part SMALLINT NOT NULL DEFAULT 0;

-- What a member has answered so far. It is deleted when they finish or throw it away, or have not gone on for a while.
CREATE TABLE questionnaire_drafts (
    member_id    UUID    NOT NULL REFERENCES members (member_id),
    instrument   TEXT    NOT NULL,
    sealed_draft BYTEA   NOT NULL, -- JSON, with the member's key
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (member_id, instrument)
);
CREATE INDEX questionnaire_drafts_by_age ON questionnaire_drafts (updated_at);
