-- Epochs (see domain/epoch.rs): a row's is raised by whatever ends what stands on it, and what stands on it carries the
-- sum it was made under. Everything of before stands at 0. `floor` is where the next new row starts.
CREATE TABLE epochs (
    id    BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    floor BIGINT NOT NULL
);
INSERT INTO epochs (id, floor) VALUES (1, 0);

ALTER TABLE users ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE grants ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE access_tokens ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE resets ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE link_invitations ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trusted_browsers ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pushed_requests ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- The epoch takes the place of `password_version`, which is no longer read. Links that a change of password has voided
-- stay void.
DELETE FROM resets WHERE password_version <> (SELECT password_version FROM users WHERE id = user_id);
