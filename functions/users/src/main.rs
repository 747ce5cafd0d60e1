//! Lambda function of the route group `users`.

use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    backend::lambda::run(users::router()).await
}
