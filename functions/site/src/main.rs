//! Lambda function of the route group `site`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(site::router())
}
