-- The index of what V52 added, in a file of its own: while it is built writers wait, and readers do not.
CREATE INDEX transactions_by_settled_by ON transactions (settled_by) WHERE settled_by IS NOT NULL;
-- Whether a source is silent.
CREATE INDEX payments_by_arrival ON payments (source, received_at);
ALTER TABLE transactions
    VALIDATE CONSTRAINT transactions_settled_by,
    VALIDATE CONSTRAINT transactions_settled;
