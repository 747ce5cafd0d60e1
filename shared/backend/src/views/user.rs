//! Users as lines of a table.

use crate::{
    domain::users::User,
    values::table::{Cell, Line},
};

impl Line for User {
    const COLUMNS: &'static [&'static str] =
        &["id", "username", "email", "phone", "full_name", "role", "status", "created_at", "updated_at"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::value(&self.id),
            Cell::text(Some(&self.username)),
            Cell::text(self.email.as_deref()),
            Cell::text(self.phone.as_deref()),
            Cell::text(self.full_name.as_deref()),
            Cell::value(self.role.as_str()),
            Cell::value(self.status.as_str()),
            Cell::value(&self.created_at),
            Cell::value(&self.updated_at),
        ]
    }
}
