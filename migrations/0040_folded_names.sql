-- Keys of user names are folded (toNFKC_Casefold) instead of lowered. No SQL can do that: the program goes through the
-- users in batches (src/storage/username_keys.rs) and notes here how far it has come.

CREATE TABLE rewrites (
    name     TEXT    NOT NULL PRIMARY KEY,
    position TEXT    NOT NULL,
    finished BOOLEAN NOT NULL
);
INSERT INTO rewrites (name, position, finished) VALUES ('username_keys', '', FALSE);

-- Set for users of a tenant whose folded names are the same: each keeps the key from before in username_key, and nobody
-- new gets this one.
ALTER TABLE users ADD COLUMN shared_key TEXT;
CREATE INDEX users_shared_key ON users (tenant_id, shared_key) WHERE shared_key IS NOT NULL;
