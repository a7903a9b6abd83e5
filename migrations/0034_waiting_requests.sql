-- Login requests that nobody has answered are counted by network: a keyed hash. NULL: a first factor was proved, or the
-- browser had a session.
ALTER TABLE interactions ADD COLUMN network TEXT;
CREATE INDEX interactions_network ON interactions (network, expires_at) WHERE network IS NOT NULL;
CREATE INDEX interactions_waiting ON interactions (expires_at) WHERE network IS NOT NULL;
