//! The route group `products`: loan products and their versions.

mod edit;
mod read;

backend::operations! {
    read::list_products,
    edit::create_product,
    read::get_product,
    edit::update_product,
}
