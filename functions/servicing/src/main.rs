//! Lambda function of the route group `servicing`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(servicing::router())
}
