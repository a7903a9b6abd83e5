-- Authorization requests that clients pushed (RFC 9126). `request` is the checked request as JSON; `login` is the login
-- that was begun with it: from then on the row lives as long as that does. They are gone in a minute or so, client or not.
CREATE TABLE pushed_requests (
    hash             TEXT   NOT NULL PRIMARY KEY,
    issuer_id        TEXT   NOT NULL,
    client_issuer_id TEXT   NOT NULL,
    client_id        TEXT   NOT NULL,
    request          TEXT   NOT NULL,
    login            TEXT,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_at);
CREATE INDEX pushed_requests_unused ON pushed_requests (client_issuer_id, client_id, expires_at) WHERE login IS NULL;
