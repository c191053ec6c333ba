-- What each clinic asked its patients for when a bridge was started last: members who consented before are looked at when that
-- changes, and not at each start. A program of the release before this one does not write it.
CREATE TABLE asks (
    clinic_id TEXT    NOT NULL PRIMARY KEY,
    rhythms   TEXT    NOT NULL, -- which questionnaires, and how often: gad-7 P1M phq-9 P2W; empty for none any more
    since     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
