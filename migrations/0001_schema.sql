-- One text for SQLite and PostgreSQL: columns are TEXT, BIGINT and BOOLEAN only. Times are seconds since 1970, secrets
-- are hashes or sealed, JSON is text. Rows of a tenant go with their tenant; every cascade has an index behind it.

-- One row. Whoever changes what nodes cache (tenants, hosts, clients, keys) raises the number.
CREATE TABLE revision (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
);
INSERT INTO revision (id, number) VALUES (1, 1);

CREATE TABLE tenants (
    id       TEXT    NOT NULL PRIMARY KEY,
    domain   TEXT    NOT NULL UNIQUE,
    name     TEXT    NOT NULL,
    disabled BOOLEAN NOT NULL,
    locale   TEXT    NOT NULL,
    policy   TEXT    NOT NULL,
    branding TEXT    NOT NULL
);

-- Host names on which a tenant has an issuer of its own.
CREATE TABLE hosts (
    host      TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE INDEX hosts_tenant ON hosts (tenant_id);

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    username      TEXT    NOT NULL,
    username_key  TEXT    NOT NULL,
    password_hash TEXT,
    disabled      BOOLEAN NOT NULL,
    roles         TEXT    NOT NULL,
    profile       TEXT    NOT NULL,
    updated_at    BIGINT  NOT NULL,
    UNIQUE (tenant_id, username_key)
);

CREATE TABLE authenticators (
    id                 TEXT   NOT NULL PRIMARY KEY,
    user_id            TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret      TEXT   NOT NULL,
    totp               TEXT   NOT NULL,
    state              TEXT   NOT NULL,
    drift_steps        BIGINT NOT NULL,
    last_accepted_step BIGINT NOT NULL,
    created_at         BIGINT NOT NULL
);
CREATE INDEX authenticators_user ON authenticators (user_id);
CREATE INDEX authenticators_pending ON authenticators (created_at) WHERE state = 'pending';

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    TEXT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, hash)
);

-- A client belongs to the root issuer or to a tenant, whose host issuers see it too.
CREATE TABLE clients (
    issuer_id      TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    tenant_id      TEXT    REFERENCES tenants (id) ON DELETE CASCADE,
    disabled       BOOLEAN NOT NULL,
    authentication TEXT    NOT NULL,
    metadata       TEXT    NOT NULL,
    PRIMARY KEY (issuer_id, id)
);
CREATE INDEX clients_tenant ON clients (tenant_id);

-- issuer_id is where the login took place, client_issuer_id where the client is registered.
CREATE TABLE grants (
    id               TEXT   NOT NULL PRIMARY KEY,
    issuer_id        TEXT   NOT NULL,
    client_issuer_id TEXT   NOT NULL,
    client_id        TEXT   NOT NULL,
    user_id          TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id       TEXT   NOT NULL,
    scope            TEXT   NOT NULL,
    claims           TEXT   NOT NULL,
    context          TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    revoked_at       BIGINT,
    FOREIGN KEY (client_issuer_id, client_id) REFERENCES clients (issuer_id, id) ON DELETE CASCADE
);
CREATE INDEX grants_client ON grants (client_issuer_id, client_id);
CREATE INDEX grants_user ON grants (user_id);
CREATE INDEX grants_session ON grants (session_id);
CREATE INDEX grants_expiry ON grants (expires_at);

-- A used code stays as long as its grant, so that a second use is recognised.
CREATE TABLE codes (
    hash           TEXT   NOT NULL PRIMARY KEY,
    grant_id       TEXT   NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri   TEXT   NOT NULL,
    code_challenge TEXT,
    nonce          TEXT,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX codes_grant ON codes (grant_id);

CREATE TABLE consents (
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_issuer_id TEXT NOT NULL,
    client_id        TEXT NOT NULL,
    scope            TEXT NOT NULL,
    PRIMARY KEY (user_id, client_issuer_id, client_id),
    FOREIGN KEY (client_issuer_id, client_id) REFERENCES clients (issuer_id, id) ON DELETE CASCADE
);
CREATE INDEX consents_client ON consents (client_issuer_id, client_id);

CREATE TABLE sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    cookie     TEXT   NOT NULL UNIQUE,
    issuer_id  TEXT   NOT NULL,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    facts      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Logins in progress. `state` is the whole of it as JSON; the other columns are what statements decide by.
CREATE TABLE interactions (
    id         TEXT   NOT NULL PRIMARY KEY,
    issuer_id  TEXT   NOT NULL,
    browser    TEXT,
    state      TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX interactions_expiry ON interactions (expires_at);

CREATE TABLE signing_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    issuer_id  TEXT   NOT NULL,
    tenant_id  TEXT   REFERENCES tenants (id) ON DELETE CASCADE,
    algorithm  TEXT   NOT NULL,
    sealed     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (issuer_id, algorithm)
);
CREATE INDEX signing_keys_tenant ON signing_keys (tenant_id);

-- Failures in a row, and the lock they led to.
CREATE TABLE attempts (
    key          TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    failures     BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    PRIMARY KEY (key, kind)
);
CREATE INDEX attempts_age ON attempts (last_at);

-- Tries in a sliding window; times are milliseconds here.
CREATE TABLE rates (
    key     TEXT   NOT NULL PRIMARY KEY,
    free_at BIGINT NOT NULL
);
CREATE INDEX rates_age ON rates (free_at);

-- Client assertions that were accepted (RFC 7523 §3, `jti`).
CREATE TABLE assertions (
    client_issuer_id TEXT   NOT NULL,
    client_id        TEXT   NOT NULL,
    jti              TEXT   NOT NULL,
    expires_at       BIGINT NOT NULL,
    PRIMARY KEY (client_issuer_id, client_id, jti)
);
CREATE INDEX assertions_expiry ON assertions (expires_at);
