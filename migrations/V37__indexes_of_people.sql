-- Indexes of what V36 added, in a file of their own: while they are built writers wait, and readers do not.

-- Unique for each kind of thing.
CREATE UNIQUE INDEX users_external_id_key ON users (external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX products_external_id_key ON products (external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX loans_external_id_key ON loans (external_id) WHERE external_id IS NOT NULL;

-- An agent's customers, and customers by what is known of who they are, newest first.
CREATE INDEX users_by_agent ON users (agent_id, created_at DESC, id DESC) WHERE agent_id IS NOT NULL;
CREATE INDEX users_by_kyc ON users (kyc_status, created_at DESC, id DESC) WHERE role = 'customer';

ALTER TABLE users
    VALIDATE CONSTRAINT users_external_id_form,
    VALIDATE CONSTRAINT users_metadata_form,
    VALIDATE CONSTRAINT users_agent_id_fkey,
    VALIDATE CONSTRAINT users_agent_of_customer,
    VALIDATE CONSTRAINT users_kyc_by_fkey,
    VALIDATE CONSTRAINT users_kyc,
    VALIDATE CONSTRAINT users_erased;
ALTER TABLE loans
    VALIDATE CONSTRAINT loans_external_id_form,
    VALIDATE CONSTRAINT loans_metadata_form,
    VALIDATE CONSTRAINT loans_agents;
