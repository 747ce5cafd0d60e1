//! Users as lines of a table.

use crate::{domain::users::User, table_line, values::table::Cell};

table_line! {
    User as user {
        "id": Cell::value(&user.id),
        "username": Cell::text(Some(&user.username)),
        "email": Cell::text(user.email.as_deref()),
        "phone": Cell::text(user.phone.as_deref()),
        "full_name": Cell::text(user.full_name.as_deref()),
        "role": Cell::value(user.role.as_str()),
        "status": Cell::value(user.status.as_str()),
        "created_at": Cell::value(&user.created_at),
        "updated_at": Cell::value(&user.updated_at),
    }
}
