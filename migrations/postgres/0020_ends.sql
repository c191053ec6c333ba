-- What ends by itself, or not at once.

-- When it was written down that the time of this version was over; null: it was not yet, or it ended otherwise.
ALTER TABLE grants ADD COLUMN expired_at BIGINT;
-- Until when what a member lent is kept although its consent has ended: to tell the clinic so, and for nothing else. Null:
-- the consent has not ended. A program of the release before this one forgets it at once.
ALTER TABLE patient_tokens ADD COLUMN ends_at BIGINT;
CREATE INDEX patient_tokens_ending ON patient_tokens (ends_at) WHERE ends_at IS NOT NULL;
