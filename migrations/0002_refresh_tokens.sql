-- Refresh tokens. The family of a token is its grant. A used token stays a while: it is known again when it is
-- presented twice, and its salt makes the same successor once more (RFC 9700 §4.14.2).
ALTER TABLE grants ADD COLUMN refresh_idle BIGINT;

CREATE TABLE refresh_tokens (
    hash       TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    salt       TEXT
);
CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_used ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;
