-- Browsers that skip their user's second factor: known by the hash of a cookie, with keyed hashes of what they show.
CREATE TABLE trusted_browsers (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    cookie     TEXT   NOT NULL UNIQUE,
    profile    TEXT   NOT NULL,
    label      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX trusted_browsers_user ON trusted_browsers (user_id, seen_at);
CREATE INDEX trusted_browsers_expiry ON trusted_browsers (expires_at);
