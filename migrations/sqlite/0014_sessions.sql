-- Members in the portal: how they get in, and how long they stay. Only keyed indexes of secrets and names are kept.

-- Links that let a member in once. Whose link it is, is not looked up when it is asked for: one for nobody looks the same
-- until it would be sent.
CREATE TABLE sign_in_links (
    link_id       BLOB    NOT NULL PRIMARY KEY,
    secret_index  BLOB    NOT NULL UNIQUE, -- of the secret, which the index key makes of link_id
    browser_index BLOB    NOT NULL,        -- the browser that asked, and the only one that the link lets in
    community_id  TEXT    NOT NULL,
    handle_index  BLOB    NOT NULL,
    language      TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    send_at       INTEGER                  -- when it is to be sent, or to be tried again; empty when it is sent
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_links_due ON sign_in_links (send_at) WHERE send_at IS NOT NULL;

-- Members who are signed in.
CREATE TABLE sessions (
    session_index BLOB    NOT NULL PRIMARY KEY, -- of the secret in the member's cookie
    member_id     BLOB    NOT NULL REFERENCES members (member_id),
    community_id  TEXT    NOT NULL,             -- who vouched for them
    idle_until    INTEGER NOT NULL,             -- ends here unless something is asked for before
    ends_at       INTEGER NOT NULL              -- ends here in any case
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_member ON sessions (member_id);

-- Members as a community's identity provider knows them (OpenID Connect).
CREATE TABLE identities (
    community_id  TEXT    NOT NULL,
    subject_index BLOB    NOT NULL, -- of issuer and subject
    member_id     BLOB    NOT NULL REFERENCES members (member_id),
    PRIMARY KEY (community_id, subject_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_member ON identities (member_id);

-- Browsers that are on their way through an identity provider.
CREATE TABLE identity_requests (
    state_index   BLOB    NOT NULL PRIMARY KEY, -- of the state, of which the index key makes nonce and code verifier
    browser_index BLOB    NOT NULL,
    community_id  TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
