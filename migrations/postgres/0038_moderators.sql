-- A community's people sign in as a clinic's staff do, and stay as long. Of these rows, the clinic is empty. A program of the last
-- release never meets them: it looks for nobody by the cookie that they have.
ALTER TABLE staff_walks ADD COLUMN community_id TEXT NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD COLUMN community_id TEXT NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD COLUMN level INTEGER NOT NULL DEFAULT 1; -- 1, 2: as those who are told of concerns
