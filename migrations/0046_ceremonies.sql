-- Codes that are sent belong to a ceremony, which has an id of its own in whichever row it is kept (a login, a reset). Codes
-- of before were bound to ids that no ceremony has: they live ten minutes at most, and are asked for once more.
DELETE FROM delivered_codes;
ALTER TABLE delivered_codes RENAME COLUMN interaction_id TO ceremony_id;
