//! Migrations, database roles, the first admin, demo data.
