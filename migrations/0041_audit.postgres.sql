-- What happened. PostgreSQL hands out sequence numbers before the commit, so an entry is written without a place and
-- gets it in a later transaction, under the lock of the one row of audit_places. Statements that are queued together run
-- in no defined order: within one write, entries are in the order of their ordinal.
CREATE TABLE audit_entries (
    seq          BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place        BIGINT  UNIQUE,
    ordinal      BIGINT  NOT NULL,
    at           BIGINT  NOT NULL,
    refusal      BOOLEAN NOT NULL,
    event        TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    actor_id     TEXT,
    subject      TEXT,
    subject_id   TEXT,
    tenant_id    TEXT,
    issuer_id    TEXT,
    network      TEXT,
    grant_id     TEXT,
    reference    TEXT,
    details      TEXT    NOT NULL,
    decisions    TEXT,
    value_before TEXT,
    value_after  TEXT
);
CREATE INDEX audit_entries_age ON audit_entries (refusal, at);
CREATE INDEX audit_entries_unplaced ON audit_entries (seq) WHERE place IS NULL;

CREATE TABLE audit_places (last BIGINT NOT NULL);
INSERT INTO audit_places (last) VALUES (0);
