//! Lambda function of the route group `users`.

use lambda_http::Error;

fn main() -> Result<(), Error> {
    backend::lambda::serve(users::router())
}
