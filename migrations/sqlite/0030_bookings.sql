-- Members book visits at clinics.

-- A member's way to one visit. Where it stands, and when it is, stand open: reminders and holds that end find their work
-- there. What was offered, where the time stands in the EHR, and why the member comes are sealed with the member's key.
CREATE TABLE bookings (
    member_id      BLOB    NOT NULL REFERENCES members (member_id),
    booking_id     BLOB    NOT NULL,
    clinic_id      TEXT    NOT NULL,
    visit          TEXT    NOT NULL, -- what kind of visit, by its name in the configuration
    state          TEXT    NOT NULL,
    wish           TEXT,             -- what the clinic's system was asked and has not answered; null: nothing
    note           TEXT,             -- what the member is to be told about it: a code
    attempt        INTEGER NOT NULL, -- how many times were chosen
    identifier     TEXT,             -- of the Appointment, and of the item in the outbox: another one for each time chosen
    starts_at      INTEGER,          -- the time that was chosen
    ends_at        INTEGER,
    hold_until     INTEGER,          -- until when that is kept for them, or an answer waited for; then it is let go
    look_at        INTEGER,          -- when it is looked next whether something is free; null: the member does not wait for it
    replaces       BLOB,             -- the booking whose place it takes
    sequence       INTEGER NOT NULL, -- grows with each change of its time, or of whether it will be
    sealed_booking BLOB    NOT NULL, -- JSON, with the member's key
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (member_id, booking_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX bookings_by_identifier ON bookings (identifier) WHERE identifier IS NOT NULL;
CREATE INDEX bookings_by_hold ON bookings (hold_until) WHERE hold_until IS NOT NULL;
CREATE INDEX bookings_by_look ON bookings (clinic_id, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX bookings_cancelling ON bookings (updated_at) WHERE wish IN ('cancel', 'replace', 'release');
CREATE INDEX bookings_replacing ON bookings (member_id) WHERE replaces IS NOT NULL AND state = 'booked';
CREATE INDEX bookings_by_start ON bookings (starts_at) WHERE state = 'booked';
CREATE INDEX bookings_by_clinic ON bookings (clinic_id, state, starts_at);
CREATE INDEX bookings_by_change ON bookings (updated_at);

-- What goes although others wait on its lane for the end of a pause: how a consent stands, warnings, and that a time need not be
-- kept any longer.
DROP INDEX outbox_open_urgent;
CREATE INDEX outbox_open_urgent ON outbox (clinic_id, member_id, seq)
    WHERE state IN ('ready', 'sending', 'retry', 'unknown') AND kind IN ('consent', 'warning', 'cancelling');
