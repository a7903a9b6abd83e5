-- Messages on their way to users. `sealed` is what they say and where they go; it is gone once that is over. A message
-- may be taken by whoever comes at `due_at` or after; who takes it moves that on, and `tries` tells one taker from another.
CREATE TABLE outbox (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id     TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel     TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    destination TEXT   NOT NULL,
    sealed      TEXT,
    state       TEXT   NOT NULL,
    reason      TEXT,
    tries       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX outbox_tenant ON outbox (tenant_id, created_at);
CREATE INDEX outbox_user ON outbox (user_id);
CREATE INDEX outbox_due ON outbox (channel, due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_age ON outbox (created_at) WHERE state IN ('sent', 'failed');
