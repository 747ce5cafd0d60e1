//! Lambda function of the route group `products`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(products::router())
}
