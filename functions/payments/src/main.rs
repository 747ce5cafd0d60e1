//! Lambda function of the route group `payments`.

use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    backend::lambda::run(payments::router()).await
}
