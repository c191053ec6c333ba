-- To be run on a restored database before a bridge opens it: SQLite and PostgreSQL.
--
-- The backup does not know what was sent after it was made. What was ready to be sent becomes unknown, and unknown means
-- that the EHR is searched, twice, before anything is sent. What a human was to decide about is searched for as well.
UPDATE outbox SET state = 'unknown', attempts = 0, reason = 'restored' WHERE state IN ('ready', 'retry');
UPDATE outbox SET state = 'dead' WHERE state = 'rejected';
