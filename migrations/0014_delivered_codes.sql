-- Codes sent to users by SMS or mail, one for each login and purpose: a new one takes the place of the old. `hash` is
-- keyed, and bound to login, purpose and destination; with the login, or the authenticator it is for, the code goes too.
CREATE TABLE delivered_codes (
    interaction_id   TEXT   NOT NULL REFERENCES interactions (id) ON DELETE CASCADE,
    purpose          TEXT   NOT NULL,
    authenticator_id TEXT   NOT NULL REFERENCES authenticators (id) ON DELETE CASCADE,
    hash             TEXT   NOT NULL,
    message_id       TEXT   NOT NULL,
    tries            BIGINT NOT NULL,
    used_at          BIGINT,
    expires_at       BIGINT NOT NULL,
    PRIMARY KEY (interaction_id, purpose)
);
CREATE INDEX delivered_codes_authenticator ON delivered_codes (authenticator_id);
CREATE INDEX delivered_codes_expiry ON delivered_codes (expires_at);
