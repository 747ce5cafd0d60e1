//! Lambda function of the route group `auth`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(auth::router())
}
