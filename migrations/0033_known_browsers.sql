-- A browser in which a user proved a first factor has password tries of its own, as long as the user's epoch is this one.
-- NULL: no factor was proved there since this column exists.
ALTER TABLE known_browsers ADD COLUMN epoch BIGINT;
