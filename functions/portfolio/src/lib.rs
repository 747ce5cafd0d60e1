//! Statistics of the whole book.

use backend::app::App;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this group.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
