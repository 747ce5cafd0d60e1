//! Who sees the names that the lender's other systems have for things, and how they stand in a table.

use crate::{
    domain::users::Role,
    values::{
        names::{Metadata, Names},
        table::Cell,
    },
};

/// The names of a thing as this viewer sees them: none but for staff. `None` is a viewer who is not logged in.
pub(super) fn shown_to(names: &Names, viewer: Option<Role>) -> Names {
    match viewer {
        Some(Role::Agent | Role::Admin) => names.clone(),
        Some(Role::Customer) | None => Names::default(),
    }
}

/// Texts under keys in one cell, as JSON; nothing for none.
pub(super) fn cell_of(metadata: &Metadata) -> Cell {
    if metadata.is_empty() {
        return Cell::Empty;
    }
    // Texts under texts always serialise.
    Cell::text(serde_json::to_string(metadata).ok().as_deref())
}
