-- What clinics have for members: recommendations and news, and what members answer.

-- One row for each resource of an EHR, or each part of one, that is for a member: its newest version. Kind, state and times
-- stand open; what is said is sealed with the member's key, and gone once the clinic took it back.
CREATE TABLE recommendations (
    member_id             UUID    NOT NULL REFERENCES members (member_id),
    recommendation_id     UUID    NOT NULL, -- made from the clinic, the member, the resource and its part
    clinic_id             TEXT    NOT NULL,
    resource_index        BYTEA   NOT NULL, -- keyed index of the resource's type and id at the clinic
    focus_index           BYTEA,            -- the same of the resource that it asks to do: that one is not told beside it
    ehr_version           TEXT,             -- the version that was taken, as the EHR calls it
    ehr_updated_at        BIGINT,           -- when that was made, by the EHR's clock
    kind                  TEXT    NOT NULL,
    state                 TEXT    NOT NULL,
    sealed_recommendation BYTEA,            -- JSON, with the member's key
    received_at           BIGINT  NOT NULL,
    updated_at            BIGINT  NOT NULL,
    PRIMARY KEY (member_id, recommendation_id)
);
CREATE INDEX recommendations_by_resource ON recommendations (clinic_id, resource_index);
CREATE INDEX recommendations_by_time ON recommendations (member_id, received_at);
CREATE INDEX recommendations_undelivered ON recommendations (received_at, member_id) WHERE state = 'received';

-- What a member answered, in order.
CREATE TABLE recommendation_answers (
    member_id         UUID    NOT NULL REFERENCES members (member_id),
    recommendation_id UUID    NOT NULL,
    ordinal           BIGINT  NOT NULL,
    answer            TEXT    NOT NULL, -- accept, decline, done or question
    sealed_answer     BYTEA,            -- what they wrote, with the member's key; null where they wrote nothing
    answered_at       BIGINT  NOT NULL,
    task_identifier   TEXT,             -- of the item in the outbox that changes the Task; null where there is none
    identifier        TEXT,             -- of the item in the outbox that is a Communication; null where there is none
    PRIMARY KEY (member_id, recommendation_id, ordinal)
);
