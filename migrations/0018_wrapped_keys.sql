-- The keys under which this database's values are sealed and hashed, wrapped under a master key. One row, or two while
-- a new master key makes its way to every node: `place` is `current` or `previous`, `master` the master key's id.
CREATE TABLE wrapped_keys (
    place   TEXT NOT NULL PRIMARY KEY,
    master  TEXT NOT NULL UNIQUE,
    wrapped TEXT NOT NULL
);
