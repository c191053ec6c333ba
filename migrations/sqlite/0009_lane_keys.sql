-- What waits on a lane is sealed with a key of the lane's own. When consent ends, the key is destroyed and a mark is set:
-- from that commit on nothing that waited can be opened or sent, however much it was. The rows follow in portions.
--
-- A program of the release before this one cannot open what is sealed with a lane's key: while both run, it sets such
-- items aside as rejected ('content-does-not-open'), and `mostik replay` sends them. It never sends what was withdrawn.

-- The lane's key, wrapped by its member's; null until something is put on the lane, and again when consent has ended.
ALTER TABLE lanes ADD COLUMN sealed_key BLOB;
-- Items up to this one are sealed with the member's key, those after it with the lane's; null: all with the member's.
ALTER TABLE lanes ADD COLUMN keyed_after INTEGER;
-- Whatever their rows say, of the items up to this one those that wait are withdrawn, and the content of all is erased.
ALTER TABLE lanes ADD COLUMN withdrawn_through INTEGER NOT NULL DEFAULT 0;
-- Up to this one the rows say so too.
ALTER TABLE lanes ADD COLUMN swept_through INTEGER NOT NULL DEFAULT 0;
CREATE INDEX lanes_unswept ON lanes (clinic_id, member_id) WHERE swept_through < withdrawn_through;

-- What is not open and not done either: it waits for a human, or for the EHR to take it.
CREATE INDEX outbox_stuck ON outbox (clinic_id, member_id, seq) WHERE state IN ('rejected', 'dead', 'held');
