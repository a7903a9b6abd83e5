-- Raised by every change of what is told of a user, so that whoever remembers the row need not read it again.
ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
