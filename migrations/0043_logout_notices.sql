-- Sessions that have ended and whose clients have not been looked up yet. A row is written in the transaction that deletes
-- the session, and deleted in the one that writes the notices; so every session is announced once.
CREATE TABLE ended_sessions (
    id        TEXT NOT NULL PRIMARY KEY,
    issuer_id TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    clients   TEXT NOT NULL
);

-- Logout tokens to be sent (OpenID Connect Back-Channel Logout 1.0), one per session and client. No foreign keys: the user,
-- the tenant and the session may be gone by then.
CREATE TABLE logout_notices (
    session_id TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    issuer_id  TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    reason     TEXT,
    tries      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX logout_notices_due ON logout_notices (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX logout_notices_age ON logout_notices (created_at) WHERE state IN ('sent', 'failed');
