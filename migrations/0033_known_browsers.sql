-- A browser in which a user proved a first factor has password tries of its own, as long as the password is the one of
-- this version. NULL: no factor was proved there since this column exists.
ALTER TABLE known_browsers ADD COLUMN password_version BIGINT;
