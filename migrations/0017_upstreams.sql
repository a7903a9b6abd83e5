-- Resellers, who manage several tenants, and the OpenID providers at which their people, or one tenant's, sign in.
CREATE TABLE resellers (
    id    TEXT NOT NULL PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL
);
ALTER TABLE tenants ADD COLUMN reseller_id TEXT REFERENCES resellers (id);
CREATE INDEX tenants_reseller ON tenants (reseller_id);

-- Either a reseller's or a tenant's. The name stands in the redirect URI, so it never means two.
CREATE TABLE upstreams (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    reseller_id   TEXT REFERENCES resellers (id),
    tenant_id     TEXT REFERENCES tenants (id) ON DELETE CASCADE,
    title         TEXT NOT NULL,
    issuer        TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    sealed_secret TEXT,
    rules         TEXT NOT NULL,
    CHECK ((reseller_id IS NULL) <> (tenant_id IS NULL))
);
CREATE INDEX upstreams_reseller ON upstreams (reseller_id);
CREATE INDEX upstreams_tenant ON upstreams (tenant_id);

-- A user with an upstream signs in there and nowhere else. The subject is who they are there; none: not linked yet.
ALTER TABLE users ADD COLUMN upstream_id TEXT REFERENCES upstreams (id);
ALTER TABLE users ADD COLUMN upstream_subject TEXT;
CREATE UNIQUE INDEX users_upstream ON users (upstream_id, upstream_subject);

-- Invitations to link an account, one for each user: the hash of a code that counts once.
CREATE TABLE link_invitations (
    user_id     TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    upstream_id TEXT   NOT NULL REFERENCES upstreams (id) ON DELETE CASCADE,
    hash        TEXT   NOT NULL UNIQUE,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX link_invitations_upstream ON link_invitations (upstream_id);
CREATE INDEX link_invitations_expiry ON link_invitations (expires_at);

-- Browsers on their way to an upstream, by the hash of `state`. One is used once, and is known as long as its login.
CREATE TABLE departures (
    state          TEXT    NOT NULL PRIMARY KEY,
    interaction_id TEXT    NOT NULL REFERENCES interactions (id) ON DELETE CASCADE,
    upstream_id    TEXT    NOT NULL REFERENCES upstreams (id) ON DELETE CASCADE,
    departed_at    BIGINT  NOT NULL,
    used           BOOLEAN NOT NULL
);
CREATE INDEX departures_interaction ON departures (interaction_id);
CREATE INDEX departures_upstream ON departures (upstream_id);
