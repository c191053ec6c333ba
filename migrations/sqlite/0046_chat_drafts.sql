-- Questionnaires that members have begun in the chat of a community and not finished: each community has its own, and learns
-- neither of those in another one nor of those in the portal. The latter are in questionnaire_drafts, as before.
CREATE TABLE chat_drafts (
    member_id    BLOB    NOT NULL REFERENCES members (member_id),
    community_id TEXT    NOT NULL,
    instrument   TEXT    NOT NULL,
    sealed_draft BLOB    NOT NULL, -- JSON, with the member's key
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (member_id, community_id, instrument)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_drafts_by_age ON chat_drafts (updated_at);
