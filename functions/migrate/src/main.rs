//! Migrations, database roles, the first admin, demo data.
fn main() {}
