//! Lambda function of the route group `payments`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(payments::router())
}
