-- Browsers' sessions at the provider's own relying parties (portals). `cookie` is a hash; `sealed` holds the tokens.
CREATE TABLE rp_sessions (
    cookie TEXT NOT NULL PRIMARY KEY,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    -- The session and the user at the provider, once somebody is signed in: what a logout token names.
    sid TEXT,
    subject TEXT,
    sealed TEXT NOT NULL,
    -- Until then one request refreshes the tokens.
    refreshing_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX rp_sessions_sid ON rp_sessions (issuer, client_id, sid) WHERE sid IS NOT NULL;
CREATE INDEX rp_sessions_subject ON rp_sessions (issuer, client_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX rp_sessions_expiry ON rp_sessions (expires_at);

-- Logout tokens that were accepted: each counts once.
CREATE TABLE rp_logout_tokens (
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    jti TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, client_id, jti)
);
CREATE INDEX rp_logout_tokens_expiry ON rp_logout_tokens (expires_at);
