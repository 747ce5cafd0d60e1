-- The series that the scheduled function keeps: the figures of the whole book, one row a business date.

CREATE TABLE statistics_snapshots (
    business_date date PRIMARY KEY,
    taken_at timestamptz NOT NULL,
    figures jsonb NOT NULL CHECK (jsonb_typeof(figures) = 'object')
);

GRANT SELECT, INSERT ON statistics_snapshots TO microloans_app;
GRANT UPDATE (taken_at, figures) ON statistics_snapshots TO microloans_app;
