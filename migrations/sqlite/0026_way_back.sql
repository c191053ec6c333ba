-- Looking for what clinics have for members.

-- Whose news is looked for at which clinic, when next, and how far it was seen. A row comes with a member's consent.
CREATE TABLE way_back (
    member_id BLOB    NOT NULL REFERENCES members (member_id),
    clinic_id TEXT    NOT NULL,
    watermark INTEGER,          -- what changed before was seen, by the EHR's clock; null until the first look
    due_at    INTEGER,          -- when it is looked for next; null: not before a consent changes
    failures  INTEGER NOT NULL, -- how many looks failed since the last one that did not
    reason    TEXT,             -- why the last one failed: a code
    looked_at INTEGER,          -- when that was
    PRIMARY KEY (member_id, clinic_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX way_back_by_due ON way_back (clinic_id, due_at) WHERE due_at IS NOT NULL;
INSERT INTO way_back (member_id, clinic_id, due_at, failures)
    SELECT DISTINCT member_id, clinic_id, 0, 0 FROM grants WHERE state IN ('active', 'paused');

-- The Subscriptions that the bridge has at EHRs, one for each link and topic.
CREATE TABLE subscriptions (
    member_id       BLOB    NOT NULL REFERENCES members (member_id),
    clinic_id       TEXT    NOT NULL,
    topic           TEXT    NOT NULL, -- a canonical address, or a FHIR type where the EHR knows no topics
    subscription_id BLOB    NOT NULL UNIQUE,
    path_index      BLOB    NOT NULL UNIQUE, -- keyed index of the secret in the address where it is notified
    sealed_secret   BLOB    NOT NULL, -- that secret, with the member's key
    header_index    BLOB    NOT NULL, -- keyed index of the secret that each notification carries
    ehr_id          TEXT,             -- the id the EHR gave it; null until it was made there
    state           TEXT    NOT NULL, -- wanted, requested, active, error, refused or unwanted
    last_event      INTEGER,          -- the last number of an event up to which none is missing
    heard_at        INTEGER,          -- when it was last heard of
    ends_at         INTEGER,          -- until when the EHR keeps it
    due_at          INTEGER NOT NULL, -- when it is looked after next
    failures        INTEGER NOT NULL,
    reason          TEXT,             -- why it stands where it stands: a code
    PRIMARY KEY (member_id, clinic_id, topic)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_by_due ON subscriptions (clinic_id, due_at);

-- What was notified and is not dealt with yet: no content, only where to look.
CREATE TABLE news (
    member_id       BLOB    NOT NULL REFERENCES members (member_id),
    clinic_id       TEXT    NOT NULL,
    subscription_id BLOB    NOT NULL,
    event_number    INTEGER NOT NULL,
    resource_type   TEXT,             -- what to look at; null: look for everything
    ehr_id          TEXT,
    received_at     INTEGER NOT NULL,
    PRIMARY KEY (member_id, clinic_id, subscription_id, event_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX news_by_subscription ON news (subscription_id);
CREATE INDEX news_by_time ON news (clinic_id, received_at);
