-- A clinic's staff in the bridge's staff view: how they get in, and how long they stay. Only keyed indexes of secrets are kept, and
-- nothing says who they are.

-- Browsers that are on their way through a clinic's identity provider.
CREATE TABLE staff_walks (
    state_index   BYTEA   NOT NULL PRIMARY KEY, -- of the state, of which the index key makes nonce and code verifier
    browser_index BYTEA   NOT NULL,             -- the browser that began it
    clinic_id     TEXT    NOT NULL,
    expires_at    BIGINT  NOT NULL
);

-- Staff who are signed in.
CREATE TABLE staff_sessions (
    session_index BYTEA   NOT NULL PRIMARY KEY, -- of the secret in the browser's cookie
    clinic_id     TEXT    NOT NULL,
    staff_id      UUID    NOT NULL,             -- made with the index key of issuer and subject: who did what stays known to nobody else
    rules_index   BYTEA   NOT NULL,             -- of the rules that let them in: when these change, the session is over
    idle_until    BIGINT  NOT NULL,             -- ends here unless something is asked for before
    ends_at       BIGINT  NOT NULL              -- ends here in any case
);

-- A booking at a clinic, found by its id alone.
CREATE INDEX bookings_at_clinic ON bookings (clinic_id, booking_id);

-- What staff decline is given back as what members cancel.
DROP INDEX bookings_cancelling;
CREATE INDEX bookings_cancelling ON bookings (updated_at) WHERE wish IN ('cancel', 'replace', 'release', 'decline');
