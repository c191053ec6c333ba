-- Group sessions: a time of a clinic's with several places. What members have there are bookings of their own.

-- A session says nothing of anybody. Who has a place in it is known by their bookings alone, so that a place is free as soon as its
-- booking is over or gone, whatever ended it.
CREATE TABLE group_sessions (
    clinic_id  TEXT   NOT NULL,
    session_id UUID   NOT NULL, -- also the identifier of its Appointment
    visit      TEXT   NOT NULL, -- what kind of visit, by its name in the configuration
    state      TEXT   NOT NULL,
    starts_at  BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    capacity   BIGINT NOT NULL, -- how many places there are
    sequence   BIGINT NOT NULL, -- grows with each change, from 1
    told       BIGINT NOT NULL, -- as which of these the EHR has it; 0: not yet
    look_at    BIGINT,          -- when the EHR is told of it, or looked how it stands there; null: never
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (clinic_id, session_id)
);
CREATE INDEX group_sessions_by_look ON group_sessions (clinic_id, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX group_sessions_by_start ON group_sessions (clinic_id, starts_at);
CREATE INDEX group_sessions_by_end ON group_sessions (ends_at);

-- The session in which a booking is a place; null: it is a visit of its own.
ALTER TABLE bookings ADD COLUMN group_session_id UUID;
CREATE INDEX bookings_by_group_session ON bookings (group_session_id, state) WHERE group_session_id IS NOT NULL;
