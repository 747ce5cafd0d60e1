//! The operations of a route group, listed once: the group's router and its part of the OpenAPI document follow.

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    routing::{MethodFilter, MethodRouter},
};
use utoipa::{__dev::Tags, openapi::HttpMethod};

use crate::{
    app::App,
    domain::keys::{Access, Area, Scope},
    values::words::Words as _,
};

/// Makes `router` and `document` of a route group from the list of its operations, each a handler as `module::name`.
/// Routes outside the document come after a semicolon, as `path => method router`.
///
/// The router does not collect its document as it is built: a function's start would take half as long again.
#[macro_export]
macro_rules! operations {
    ($($module:ident::$handler:ident),+ $(,)? $(; $($path:literal => $method_router:expr),+ $(,)?)?) => {
        $crate::http::operations::paste! {
            /// The routes of this group.
            pub fn router() -> axum::Router<$crate::app::App> {
                let router = axum::Router::new();
                $(let router = $crate::http::operations::route::<$module::[<__path_ $handler>], _, _>(
                    router, &$module::$handler,
                );)+
                $($(let router = router.route($path, $method_router);)+)?
                router
            }

            /// This group's part of the OpenAPI document.
            #[must_use]
            pub fn document() -> utoipa::openapi::OpenApi {
                #[derive(utoipa::OpenApi)]
                #[openapi(paths($($module::$handler),+))]
                struct Group;
                <Group as utoipa::OpenApi>::openapi()
            }
        }
    };
}

#[doc(hidden)]
pub use pastey::paste;

/// The scope that a key needs for the operation, in the request's extensions.
#[derive(Clone, Copy)]
pub(crate) struct NeededScope(pub(crate) Scope);

/// Adds the route of the handler that `Description` describes.
#[doc(hidden)]
pub fn route<Description, H, T>(router: Router<App>, handler: &H) -> Router<App>
where
    Description: utoipa::Path + Tags<'static>,
    H: Handler<T, App>,
    T: 'static,
{
    let area = Description::tags().first().and_then(|tag| Area::of_word(tag));
    let scoped = |method: &HttpMethod| {
        let access = if matches!(method, HttpMethod::Get) { Access::Read } else { Access::Write };
        Scoped { handler: handler.clone(), scope: area.map(|area| NeededScope(Scope { area, access })) }
    };
    let methods = Description::methods();
    let handlers = methods.iter().fold(MethodRouter::new(), |all, method| all.on(filter(method), scoped(method)));
    router.route(&Description::path(), handlers)
}

/// A handler with the scope that a key needs for it.
#[derive(Clone)]
struct Scoped<H> {
    handler: H,
    scope: Option<NeededScope>,
}

impl<H: Handler<T, App>, T: 'static> Handler<T, App> for Scoped<H> {
    type Future = H::Future;

    fn call(self, mut request: Request, app: App) -> Self::Future {
        if let Some(scope) = self.scope {
            request.extensions_mut().insert(scope);
        }
        self.handler.call(request, app)
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}
