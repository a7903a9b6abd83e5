-- What a user is shown of a session: the browser and the network it was last proved from, and who signed in with it
-- (a JSON list of client ids of its issuer).
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN clients TEXT NOT NULL DEFAULT '[]';

-- Raised by every change of the password: a login that proved the old one is not completed. A number and not a time,
-- because a second can hold both the proof and the change.
ALTER TABLE users ADD COLUMN password_version BIGINT NOT NULL DEFAULT 0;

-- The key of the person in the host's own directory, for whom this row stands.
ALTER TABLE users ADD COLUMN directory_key TEXT;
CREATE UNIQUE INDEX users_directory ON users (tenant_id, directory_key);
