-- What a notice to a user needs to know: in which time zone its date is told, and whether the browser of a sign-in is new.
ALTER TABLE tenants ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';

-- Browsers in which a user has signed in, by a keyed hash of user and cookie. They grant nothing.
CREATE TABLE known_browsers (
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, hash)
);
CREATE INDEX known_browsers_expiry ON known_browsers (expires_at);
