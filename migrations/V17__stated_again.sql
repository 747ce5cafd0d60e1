-- Penalties to collect, and loans whose columns and journal are stated again by newer rules.

-- Penalties unpaid by due date, as `owed_on` and `owed` are for all else. Late fees arise while time passes, and no job moves
-- them on: those that can still arise are here with their days, as they do while nothing is paid. Loans that are there get
-- theirs when they are stated again. A loan that is closed by code that does not know these columns keeps what is in them:
-- the index below has no such loans.
ALTER TABLE loans
    ADD COLUMN penalties_on date[] NOT NULL DEFAULT '{}',
    ADD COLUMN penalties numeric[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT loans_penalties CHECK (cardinality(penalties_on) = cardinality(penalties));

GRANT UPDATE (penalties_on, penalties) ON loans TO microloans_app;

-- What is to be collected, what fell due first before everything else: a loan of which nothing but a penalty is unpaid too.
DROP INDEX loans_to_collect, loans_to_collect_by_agent;
CREATE INDEX loans_to_collect ON loans ((least(owed_on[1], penalties_on[1])), id) WHERE status = 'disbursed';
CREATE INDEX loans_to_collect_by_agent ON loans (agent_id, (least(owed_on[1], penalties_on[1])), id)
    WHERE status = 'disbursed';
