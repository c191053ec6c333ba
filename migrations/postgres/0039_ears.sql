-- Which process listens to a platform that does not call: one at a time.
CREATE TABLE ears (
    community_id TEXT NOT NULL PRIMARY KEY,
    process_id   UUID NOT NULL, -- made when it starts
    until        BIGINT NOT NULL  -- somebody else may from then on
);
