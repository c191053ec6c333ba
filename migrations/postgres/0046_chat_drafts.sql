-- Questionnaires that members have begun in the chat of a community and not finished: each community has its own, and learns
-- neither of those in another one nor of those in the portal. The latter are in questionnaire_drafts, as before.
CREATE TABLE chat_drafts (
    member_id    UUID    NOT NULL REFERENCES members (member_id),
    community_id TEXT    NOT NULL,
    instrument   TEXT    NOT NULL,
    sealed_draft BYTEA   NOT NULL, -- JSON, with the member's key
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (member_id, community_id, instrument)
);
CREATE INDEX chat_drafts_by_age ON chat_drafts (updated_at);
