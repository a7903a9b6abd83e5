-- Random values that are drawn once for this database and kept for ever, sealed.
CREATE TABLE salts (
    name   TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
);
