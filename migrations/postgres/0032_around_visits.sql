-- What there is around a visit: reminders before it, the word that the member is there, and what they say of it afterwards.

-- From when on it has not been looked whether the member is to be reminded; null: there is nothing more to remind them of. What
-- the last release books is looked at from the beginning.
ALTER TABLE bookings ADD COLUMN remind_at BIGINT DEFAULT 0;
CREATE INDEX bookings_to_remind ON bookings (remind_at) WHERE state = 'booked' AND remind_at IS NOT NULL;

-- When the member said that they are there; null: they did not.
ALTER TABLE bookings ADD COLUMN arrived_at BIGINT;

-- Whether they said how the visit was, or that they do not want to; 0: they were not asked, or have not answered. What they said
-- does not stand here.
ALTER TABLE bookings ADD COLUMN rated BIGINT NOT NULL DEFAULT 0;

-- How members found the visits of a clinic: how many said what, and nothing of who they are.
CREATE TABLE visit_ratings (
    clinic_id TEXT NOT NULL,
    visit     TEXT NOT NULL, -- what kind of visit, by its name in the configuration
    month     TEXT NOT NULL, -- in which they said so, in UTC: 2026-11
    rating    BIGINT NOT NULL, -- from 1 (bad) to 5 (good); 0: they do not want to say
    answers   BIGINT NOT NULL,
    PRIMARY KEY (clinic_id, visit, month, rating)
);

-- The addresses under which calendar programs of members find their visits: one each.
CREATE TABLE calendar_feeds (
    member_id   UUID NOT NULL PRIMARY KEY REFERENCES members (member_id),
    token_index BYTEA NOT NULL, -- keyed index of what cannot be guessed in it
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX calendar_feeds_by_token ON calendar_feeds (token_index);
