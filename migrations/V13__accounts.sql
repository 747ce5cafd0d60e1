-- Attempts at passwords that are reserved before they are checked.

-- Of what a bucket counts: how many attempts are reserved and not decided, and when the last one was reserved. They stop
-- counting as undecided half a minute later, since no request lives so long: a function that died has left failures.
ALTER TABLE rate_limits
    ADD COLUMN undecided integer NOT NULL DEFAULT 0 CONSTRAINT rate_limits_undecided CHECK (undecided >= 0),
    ADD COLUMN reserved_at timestamptz;
