-- An imported hash that was not yet renewed: what the time of a check depends on. NULL: computed here.
ALTER TABLE users ADD COLUMN password_scheme TEXT;
-- A keyed hash of the text that the hash was imported from. It stays when the hash is renewed, so that a document that is
-- applied again changes nothing.
ALTER TABLE users ADD COLUMN password_source TEXT;
CREATE INDEX users_password_scheme ON users (tenant_id, password_scheme) WHERE password_scheme IS NOT NULL;
