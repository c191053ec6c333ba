-- Members connect their account at their community's identity provider from within a session.

-- Keyed index of that session; null when somebody is signing in.
ALTER TABLE identity_requests ADD COLUMN session_index BLOB;
-- Keyed index of the issuer, always there: when a community changes its provider, members come for the first time again.
ALTER TABLE identities ADD COLUMN issuer_index BLOB;
-- A provider knows a member in one way: a second account never becomes a second way in.
CREATE UNIQUE INDEX identities_by_issuer ON identities (member_id, community_id, issuer_index);
