-- To be run after after-restore.sql, unless the restored database goes up to the last transaction before the failure:
-- a consent that was taken back after the backup stands in it as given. Every consent is paused, and each member
-- resumes their own (POST /v1/grants/{id}/resume).
UPDATE grants SET state = 'paused' WHERE state = 'active';
