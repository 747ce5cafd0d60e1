//! Lambda function of the route group `loans`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(loans::router())
}
