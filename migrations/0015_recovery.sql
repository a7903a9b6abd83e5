-- The way back in. A wish for a reset mail is first only written down, sealed: so the answer to whoever wishes costs the
-- same whatever was typed. A node then looks who is meant.
CREATE TABLE reset_requests (
    id         TEXT   NOT NULL PRIMARY KEY,
    sealed     TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX reset_requests_age ON reset_requests (created_at);

-- Links to choose a new password. `link` is the hash of the secret in the mail; whoever uses the link gets a secret of
-- their own, whose hash is `ticket`, and the link is nobody's any more. `progress` is what happened since, as JSON.
CREATE TABLE resets (
    link             TEXT   NOT NULL PRIMARY KEY,
    ticket           TEXT   UNIQUE,
    issuer_id        TEXT   NOT NULL,
    user_id          TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose          TEXT   NOT NULL,
    password_version BIGINT NOT NULL,
    progress         TEXT   NOT NULL,
    version          BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX resets_user ON resets (user_id);
CREATE INDEX resets_expiry ON resets (expires_at);

-- A new password must be chosen at the next login.
ALTER TABLE users ADD COLUMN must_change_password BOOLEAN NOT NULL DEFAULT FALSE;

-- The address in the form in which addresses are compared, for users who remember it better than their name. Rows get it
-- when they are next written.
ALTER TABLE users ADD COLUMN email_key TEXT;
CREATE INDEX users_email ON users (tenant_id, email_key);

-- Codes are sent on the way back in, too, where there is no login: `interaction_id` is then the link of the reset. What is
-- left of a login that is over goes when it expires.
CREATE TABLE delivered_codes_anywhere (
    interaction_id   TEXT   NOT NULL,
    purpose          TEXT   NOT NULL,
    authenticator_id TEXT   NOT NULL REFERENCES authenticators (id) ON DELETE CASCADE,
    hash             TEXT   NOT NULL,
    message_id       TEXT   NOT NULL,
    tries            BIGINT NOT NULL,
    used_at          BIGINT,
    expires_at       BIGINT NOT NULL,
    PRIMARY KEY (interaction_id, purpose)
);
INSERT INTO delivered_codes_anywhere
    (interaction_id, purpose, authenticator_id, hash, message_id, tries, used_at, expires_at)
    SELECT interaction_id, purpose, authenticator_id, hash, message_id, tries, used_at, expires_at FROM delivered_codes;
DROP TABLE delivered_codes;
ALTER TABLE delivered_codes_anywhere RENAME TO delivered_codes;
CREATE INDEX delivered_codes_authenticator ON delivered_codes (authenticator_id);
CREATE INDEX delivered_codes_expiry ON delivered_codes (expires_at);
