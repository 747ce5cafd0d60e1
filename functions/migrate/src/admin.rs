//! The first admin: made from a secret, since admins are otherwise made by admins.

use backend::{
    auth::passwords,
    db::Batch,
    domain::users::{Role, UserStatus},
    http::address::ClientAddress,
    models::{
        audit::{self, Subject},
        users::{self, User},
    },
    values::{
        fields::{Email, Password, Phone, Username},
        time::Instant,
    },
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::MigrateError;

/// The secret.
#[derive(Deserialize)]
struct FirstAdmin {
    username: Username,
    email: Email,
    phone: Phone,
    password: Password,
}

/// Makes the first admin if there is none. Returns whether it did.
pub(crate) async fn create_first(client: &Client, secret: &str) -> Result<bool, MigrateError> {
    let known = client.query_one("SELECT EXISTS (SELECT FROM users WHERE role = 'admin')", &[]).await?;
    if known.get(0) {
        return Ok(false);
    }
    // Where in the secret, never what it says: serde's words may quote it.
    let refused = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let rule = "an object with username, email, phone and password, each as for a new user";
        MigrateError::Admin(format!("line {line}, column {column}: the secret is not {rule}"))
    };
    let FirstAdmin { username, email, phone, password } = serde_json::from_str(secret).map_err(refused)?;
    let password = password
        .of_user(username.as_str(), email.as_str(), "/password")
        .map_err(|_| MigrateError::Admin("the password must be neither the username nor the e-mail address".into()))?;
    let hash = passwords::hash(password).await.map_err(|problem| MigrateError::hash(&problem))?;
    let now = Instant(Timestamp::now());
    let admin = User {
        id: Uuid::now_v7(),
        username: username.into_string(),
        email: Some(email.into_string()),
        phone: Some(phone.into_string()),
        full_name: None,
        role: Role::Admin,
        status: UserStatus::Active,
        created_at: now,
        updated_at: now,
    };
    let detail = json!({"first_admin": true});
    let record = audit::record(None, &ClientAddress(None), "user.create", &Subject::User(admin.id), detail);
    client.batch_execute("BEGIN").await?;
    (users::insert(&admin, hash), record).run(client).await?;
    client.batch_execute("COMMIT").await?;
    Ok(true)
}
