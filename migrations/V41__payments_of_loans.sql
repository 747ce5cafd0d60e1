-- Indexes of what V40 added, in a file of their own: while they are built writers wait, and readers do not.
CREATE INDEX transactions_by_payment ON transactions (payment_id) WHERE payment_id IS NOT NULL;
-- Repayments by hand that name a receipt.
CREATE INDEX transactions_by_reference ON transactions (reference)
    WHERE kind = 'repayment' AND payment_id IS NULL AND reference IS NOT NULL;
ALTER TABLE transactions
    VALIDATE CONSTRAINT transactions_payment,
    VALIDATE CONSTRAINT transactions_source;
