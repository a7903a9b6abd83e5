-- Authenticators of every kind in one table. `kind` is JSON under the kind's name, `last_accepted` the moving factor of
-- the last code that counted: a time step or a counter, and -1 before the first, for a counter begins at 0.
CREATE TABLE authenticators_of_every_kind (
    id            TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind          TEXT   NOT NULL,
    sealed_secret TEXT,
    drift         BIGINT NOT NULL,
    serial        TEXT,
    pin           TEXT,
    name          TEXT,
    state         TEXT   NOT NULL,
    last_accepted BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT
);
INSERT INTO authenticators_of_every_kind
    (id, user_id, kind, sealed_secret, drift, state, last_accepted, created_at)
    SELECT id, user_id, '{"totp":' || totp || '}', sealed_secret, drift_steps, state, last_accepted_step, created_at
    FROM authenticators;
DROP TABLE authenticators;
ALTER TABLE authenticators_of_every_kind RENAME TO authenticators;
CREATE INDEX authenticators_user ON authenticators (user_id);
CREATE INDEX authenticators_pending ON authenticators (created_at) WHERE state = 'pending';

-- What a user's office computer is called; the number of the enrolment, raised when it is begun anew; and the one in
-- which the name was asked for last.
ALTER TABLE users ADD COLUMN personal_desktop TEXT;
ALTER TABLE users ADD COLUMN enrolment BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN desktop_asked BIGINT NOT NULL DEFAULT -1;
