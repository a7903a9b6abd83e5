-- For which APIs the tokens of a grant may be meant (RFC 8707): JSON, one name or a list of them.
ALTER TABLE grants ADD COLUMN audience TEXT NOT NULL DEFAULT '[]';

-- Opaque access tokens; one without a grant is about the client itself (RFC 6749 §4.4). issuer_id is where it was
-- issued, client_issuer_id where the client is registered, subject the value of `sub`.
CREATE TABLE access_tokens (
    hash             TEXT   NOT NULL PRIMARY KEY,
    jti              TEXT   NOT NULL,
    issuer_id        TEXT   NOT NULL,
    client_issuer_id TEXT   NOT NULL,
    client_id        TEXT   NOT NULL,
    grant_id         TEXT   REFERENCES grants (id) ON DELETE CASCADE,
    subject          TEXT   NOT NULL,
    scope            TEXT   NOT NULL,
    audience         TEXT   NOT NULL,
    issued_at        BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    FOREIGN KEY (client_issuer_id, client_id) REFERENCES clients (issuer_id, id) ON DELETE CASCADE
);
CREATE INDEX access_tokens_client ON access_tokens (client_issuer_id, client_id);
CREATE INDEX access_tokens_grant ON access_tokens (grant_id);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);
