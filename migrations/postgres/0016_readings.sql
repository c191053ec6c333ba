-- What members set for themselves; the readings that are kept for their own view and for summaries; and what is still to
-- be summarised.

CREATE TABLE member_settings (
    member_id       UUID   NOT NULL PRIMARY KEY REFERENCES members (member_id),
    sealed_settings BYTEA  NOT NULL, -- JSON, with the member's key: language, time zones, whether readings are kept
    updated_at      BIGINT NOT NULL
);

-- The newest version of each reading that a consent covers, or that its member wanted kept. Category and time stand open,
-- as they do in the outbox; what was said is sealed with the member's key.
CREATE TABLE readings (
    member_id      UUID   NOT NULL REFERENCES members (member_id),
    reading_id     UUID   NOT NULL,
    category       TEXT   NOT NULL,
    measured_at    BIGINT NOT NULL,
    sealed_reading BYTEA  NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (member_id, reading_id)
);
CREATE INDEX readings_by_time ON readings (member_id, category, measured_at);
CREATE INDEX readings_by_age ON readings (measured_at);

-- Something changed at this time of which the clinic gets no more than summaries. It stands here until the summary of the
-- day or week in which it lies was made.
CREATE TABLE unsummarised (
    member_id   UUID   NOT NULL REFERENCES members (member_id),
    clinic_id   TEXT   NOT NULL,
    category    TEXT   NOT NULL,
    detail      TEXT   NOT NULL, -- daily-summary or weekly-summary: what the consent covered when it came
    measured_at BIGINT NOT NULL,
    PRIMARY KEY (member_id, clinic_id, category, detail, measured_at)
);

-- The summaries that were made of a day or week: one for each scale, or one for the tags.
CREATE TABLE summaries (
    member_id  UUID NOT NULL REFERENCES members (member_id),
    clinic_id  TEXT NOT NULL,
    category   TEXT NOT NULL,
    detail     TEXT NOT NULL,
    first_day  TEXT NOT NULL, -- the member's date, as in 2026-11-16
    identifier TEXT NOT NULL, -- value of the resource's identifier
    PRIMARY KEY (member_id, clinic_id, category, detail, first_day, identifier)
);

-- When a member's readings are to be looked at next: a day or week ends, a consent ends or was changed. No row: never.
CREATE TABLE upkeep (
    member_id UUID   NOT NULL PRIMARY KEY REFERENCES members (member_id),
    due_at    BIGINT NOT NULL
);
CREATE INDEX upkeep_by_due ON upkeep (due_at);
