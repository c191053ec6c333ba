-- Members are told that there is something for them in the portal.

-- What a member is still to be told of; what is settled is deleted. A message may tell of several.
CREATE TABLE tellings (
    member_id         BLOB    NOT NULL REFERENCES members (member_id),
    recommendation_id BLOB    NOT NULL,
    message_id        BLOB,              -- the message that tells of it: the same at each try; empty before the first one
    attempts          INTEGER NOT NULL,  -- how often that was tried; it fences: who settles names the try
    due_at            INTEGER NOT NULL,  -- when it is to be told, or tried again; while it is tried, when others may take it
    created_at        INTEGER NOT NULL,
    PRIMARY KEY (member_id, recommendation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tellings_due ON tellings (due_at);

-- Browsers in which a member wishes to be told (Web Push, RFC 8030).
CREATE TABLE push_subscriptions (
    member_id           BLOB    NOT NULL REFERENCES members (member_id),
    subscription_id     BLOB    NOT NULL,
    address_index       BLOB    NOT NULL UNIQUE, -- of the address at the push service: a browser belongs to one member
    sealed_subscription BLOB    NOT NULL,        -- JSON, with the member's key
    created_at          INTEGER NOT NULL,
    PRIMARY KEY (member_id, subscription_id)
) STRICT, WITHOUT ROWID;
