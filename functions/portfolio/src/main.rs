//! Lambda function of the route group `portfolio`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(portfolio::router())
}
