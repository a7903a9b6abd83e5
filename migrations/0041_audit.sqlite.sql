-- What happened, in the order of the commits: SQLite has one writer, so a place is in that order when it is assigned.
CREATE TABLE audit_entries (
    place        INTEGER PRIMARY KEY AUTOINCREMENT,
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
