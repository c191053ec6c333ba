-- Warnings: a clinic is told without consent that its patient may be in danger, because a person decided so.
--
-- In the outbox a warning is of the kind 'warning', its grant is all zeros, and `parts` says how it was decided. A program of
-- the release before this one refuses it. Write a policy ([clinics.….warnings]) when every replica is of this release.

-- What was decided. Neither the answer nor anything else of the member's stands here.
CREATE TABLE warnings (
    member_id      BLOB    NOT NULL REFERENCES members (member_id),
    identifier     TEXT    NOT NULL, -- value of the resource's identifier: made from the clinic, the Patient and the concern
    concern_id     BLOB    NOT NULL,
    clinic_id      TEXT    NOT NULL,
    sealed_warning BLOB    NOT NULL, -- JSON, with the member's key: who decided, why, on what legal basis and what for
    decided_at     INTEGER NOT NULL,
    PRIMARY KEY (member_id, identifier)
) STRICT, WITHOUT ROWID;

-- Warnings, like how consents stand, are told although other items wait for the end of a pause.
CREATE INDEX outbox_open_urgent ON outbox (clinic_id, member_id, seq)
    WHERE kind IN ('consent', 'warning') AND state IN ('ready', 'sending', 'retry', 'unknown');
