-- Signing keys come one after another: of an issuer's keys of one algorithm each generation is published first, signs
-- from signs_from on, and leaves the key set at leaves_at, when the last token of its making is dead. It stays behind
-- unpublished for a while, because an expired ID token is still a good hint.
CREATE TABLE signing_keys_by_generation (
    id         TEXT    NOT NULL PRIMARY KEY,
    issuer_id  TEXT    NOT NULL,
    tenant_id  TEXT    REFERENCES tenants (id) ON DELETE CASCADE,
    algorithm  TEXT    NOT NULL,
    generation BIGINT  NOT NULL,
    sealed     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    signs_from BIGINT  NOT NULL,
    leaves_at  BIGINT,
    published  BOOLEAN NOT NULL,
    UNIQUE (issuer_id, algorithm, generation)
);
INSERT INTO signing_keys_by_generation
    (id, issuer_id, tenant_id, algorithm, generation, sealed, created_at, signs_from, leaves_at, published)
    SELECT id, issuer_id, tenant_id, algorithm, 0, sealed, created_at, created_at, NULL, TRUE FROM signing_keys;
DROP TABLE signing_keys;
ALTER TABLE signing_keys_by_generation RENAME TO signing_keys;
CREATE INDEX signing_keys_tenant ON signing_keys (tenant_id);
CREATE INDEX signing_keys_leaving ON signing_keys (leaves_at) WHERE leaves_at IS NOT NULL;
