-- Passkeys and security keys: any number of one user. `credential` is the public key and what was registered with it, as
-- JSON; nothing in it is secret. `counter` is the authenticator's own (Web Authentication §6.1.1) and is only ever raised.
CREATE TABLE passkeys (
    id            TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_handle   TEXT   NOT NULL,
    credential_id TEXT   NOT NULL UNIQUE,
    rp_id         TEXT   NOT NULL,
    credential    TEXT   NOT NULL,
    counter       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id);
