-- Scopes of the installation's own, with their titles by language and the claims that they deliver.
CREATE TABLE own_scopes (
    name   TEXT NOT NULL PRIMARY KEY,
    title  TEXT NOT NULL,
    claims TEXT NOT NULL
);

-- APIs by the audience of their access tokens: the `typ` of these tokens and the scopes that belong to the API.
CREATE TABLE apis (
    audience TEXT NOT NULL PRIMARY KEY,
    typ      TEXT NOT NULL,
    scopes   TEXT NOT NULL
);
