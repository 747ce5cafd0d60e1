-- What the fingerprint of a command is of: 1, the command's JSON with its amount as it was written; 2, with its amount in its
-- shortest form and without the fields that say nothing. Keys that are there are of the first, and so are those that functions
-- of the release before still store while this one is deployed.
ALTER TABLE idempotency_keys ADD COLUMN format smallint NOT NULL DEFAULT 1 CHECK (format IN (1, 2));

-- A key's outer blanks do not count any more; a batch stored its keys with them. Sent again, such a key must find its answer.
-- One that stands beside the same key in another form stays as it is, since it cannot be said which of them is meant.
UPDATE idempotency_keys AS kept SET key = btrim(kept.key)
WHERE btrim(kept.key) NOT IN ('', kept.key) AND NOT EXISTS (
    SELECT FROM idempotency_keys AS other
    WHERE (other.caller_id, other.operation, btrim(other.key)) = (kept.caller_id, kept.operation, btrim(kept.key))
    AND other.key <> kept.key
);
