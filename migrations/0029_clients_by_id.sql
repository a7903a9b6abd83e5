-- A new user's id must not be that of a client, whichever issuer the client belongs to.
CREATE INDEX clients_id ON clients (id);
