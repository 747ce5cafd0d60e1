-- Indexes of what V17 added, in a file of their own: while they are built writers wait, and readers do not.

-- What is to be collected, what fell due first before everything else: a loan of which nothing but a penalty is unpaid too. The
-- release before goes on with its own two indexes, which a later one drops.
CREATE INDEX loans_collected ON loans ((least(owed_on[1], penalties_on[1])), id) WHERE status = 'disbursed';
CREATE INDEX loans_collected_by_agent ON loans (agent_id, (least(owed_on[1], penalties_on[1])), id)
    WHERE status = 'disbursed';

-- What has to be stated again: one look each where that is nothing.
CREATE INDEX loans_by_rules ON loans (rules_version, id);
CREATE INDEX loans_to_state ON loans (id) WHERE stated_at IS DISTINCT FROM updated_at;

ALTER TABLE loans VALIDATE CONSTRAINT loans_penalties;
