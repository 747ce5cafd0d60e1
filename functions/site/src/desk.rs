//! The desk: the pages for customers, agents and admins, carried in the binary. They are a client of the interface like
//! any other, in the browser, and have no data of their own. They ask no other host for anything: their CSP forbids it.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    extract::{Path, State},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use backend::{app::App, http::problem::Problem};
use sha2::{Digest as _, Sha256};

/// The name of a file below `desk/`, and its text.
type File = (&'static str, &'static str);

/// Reads files by their names.
macro_rules! files {
    ($($name:literal),+ $(,)?) => { [$(($name, include_str!(concat!("desk/", $name)))),+] };
}

/// Modules of every page of the desk, which a browser fetches at once rather than each when another that it has read
/// imports it.
const CORE: &[File] = &files![
    "main.js",
    "api.js",
    "code.js",
    "dialog.js",
    "facts.js",
    "format.js",
    "forms.js",
    "layout.js",
    "lists.js",
    "load.js",
    "people.js",
    "router.js",
    "session.js",
    "ui.js",
    "words.js",
    "vendor/hooks.mjs",
    "vendor/htm.mjs",
    "vendor/preact.mjs",
];

/// Modules of the page of the OpenAPI document, beside those of the desk that they import.
const DOCS: &[File] = &files!["docs/main.js", "docs/operation.js", "docs/schema.js", "docs/try.js", "docs/words.js",];

/// The other files: pages, which are fetched when they are opened, styles, licences.
const OTHERS: &[File] = &files![
    "base.css",
    "desk.css",
    "docs/docs.css",
    "icon.svg",
    "pages/activate.js",
    "pages/activation-code.js",
    "pages/agent-choice.js",
    "pages/agent.js",
    "pages/agents.js",
    "pages/app.js",
    "pages/applications.js",
    "pages/apply.js",
    "pages/arrears.js",
    "pages/audit.js",
    "pages/calendar.js",
    "pages/calendars.js",
    "pages/changes.js",
    "pages/collections.js",
    "pages/command.js",
    "pages/commands-decide.js",
    "pages/commands-service.js",
    "pages/customer-commands.js",
    "pages/customer-profile.js",
    "pages/customer.js",
    "pages/customers.js",
    "pages/due.js",
    "pages/enrol.js",
    "pages/home-admin.js",
    "pages/home-agent.js",
    "pages/home-customer.js",
    "pages/ledger.js",
    "pages/loan-commands.js",
    "pages/loan-decision.js",
    "pages/loan-history.js",
    "pages/loan-ledger.js",
    "pages/loan-schedule.js",
    "pages/loan-statement.js",
    "pages/loan-transactions.js",
    "pages/loan.js",
    "pages/loans.js",
    "pages/login.js",
    "pages/payment-commands.js",
    "pages/payment.js",
    "pages/payments.js",
    "pages/performance.js",
    "pages/plot.js",
    "pages/portfolio-history.js",
    "pages/portfolio.js",
    "pages/product-form.js",
    "pages/product.js",
    "pages/products.js",
    "pages/profile-fields.js",
    "pages/profile.js",
    "pages/queue.js",
    "pages/quote.js",
    "pages/receipt.js",
    "pages/register.js",
    "pages/requests.js",
    "pages/route.js",
    "pages/search.js",
    "pages/second-factor.js",
    "pages/source-secrets.js",
    "pages/source.js",
    "pages/sources.js",
    "pages/taken.js",
    "pages/terms.js",
    "pages/user-actions.js",
    "pages/user.js",
    "pages/users.js",
    "queue.js",
    "sender.js",
    "trusted.js",
    "vendor/htm.LICENSE",
    "vendor/preact.LICENSE",
    "vendor/uPlot.LICENSE",
    "vendor/uPlot.iife.min.js",
    "vendor/uPlot.min.css",
];

fn all() -> impl Iterator<Item = &'static File> {
    CORE.iter().chain(DOCS).chain(OTHERS)
}

/// The version that browsers keep files by. It is a folder in the address of each, so that a file and those it imports
/// are of one version, and can be kept for long.
static DIGEST: LazyLock<String> = LazyLock::new(|| digest(all().map(|(_, text)| *text).chain([DESK, WORKER])));

const DESK: &str = include_str!("desk/desk.html");

const WORKER: &str = include_str!("desk/sw.js");

/// Distinguishes contents: part of their digest, in hexadecimal digits.
pub(crate) fn digest(texts: impl IntoIterator<Item = &'static str>) -> String {
    let mut all = Sha256::new();
    for text in texts {
        all.update(text);
    }
    all.finalize().iter().take(8).fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

/// A page whose files are those of this version.
fn page(text: &str, modules: &[File]) -> String {
    let preload = |(name, _): &File| format!("<link rel=\"modulepreload\" href=\"/desk/assets/{{digest}}/{name}\">");
    let preloads: Vec<_> = modules.iter().map(preload).collect();
    text.replace("{modules}", &preloads.join("\n    ")).replace("{digest}", &DIGEST)
}

static PAGE: LazyLock<String> = LazyLock::new(|| page(DESK, CORE));

static DOCS_PAGE: LazyLock<String> = LazyLock::new(|| page(include_str!("desk/docs/docs.html"), DOCS));

/// Nothing inline, nothing from elsewhere, no form that the browser itself would send, no frame around the page, and no
/// way to make markup of text. The one policy of trusted types lets the pages' own scripts be loaded.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; \
     worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types desk",
);

fn html(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (headers, text).into_response()
}

/// Get the desk.
///
/// The pages for customers, agents and admins, who log in there. Every address below this one is the same page, which
/// shows what the address names.
#[utoipa::path(
    get, path = "/desk", tag = "service",
    responses((status = 200, description = "The desk", body = String, content_type = "text/html"))
)]
pub(crate) async fn get_desk_page(State(app): State<App>) -> Response {
    // Names of time zones hold nothing that ends an attribute.
    html(PAGE.replace("{zone}", app.zone.iana_name().unwrap_or("UTC")))
}

/// Get the documentation page.
///
/// A page to read the OpenAPI document and to try the operations.
#[utoipa::path(
    get, path = "/docs", tag = "service",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
pub(crate) async fn get_docs_page() -> Response {
    html(DOCS_PAGE.clone())
}

/// Leads to the desk from addresses that name no page of it.
pub(crate) async fn lead_to_desk() -> Redirect {
    Redirect::temporary("/desk")
}

/// The icon, for browsers that ask for the default path.
pub(crate) async fn get_favicon() -> Response {
    const ICON: &[u8] = include_bytes!("desk/favicon.ico");
    let headers = [(header::CONTENT_TYPE, "image/x-icon"), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, ICON).into_response()
}

/// A file of a page. While a new version is being deployed a page may ask a function of the other version: that answer
/// is not one to keep.
pub(crate) async fn get_desk_file(Path((version, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let (_, text) = all().find(|(file, _)| *file == name).ok_or_else(Problem::not_found)?;
    let kept = if version == *DIGEST { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type(&name))),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    // A browser cannot resolve the library's own name.
    let text = text.replace("from\"preact\"", "from\"./preact.mjs\"");
    Ok((headers, text).into_response())
}

/// The service worker, which keeps the files of this version.
pub(crate) async fn get_service_worker() -> Response {
    let names: Vec<_> = all().map(|(name, _)| format!("\"{name}\"")).collect();
    let text = WORKER.replace("{files}", &names.join(", ")).replace("{digest}", &DIGEST);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type("sw.js"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // Its own folder would leave out the first page, whose address ends without a slash.
        (HeaderName::from_static("service-worker-allowed"), HeaderValue::from_static("/desk")),
    ];
    (headers, text).into_response()
}

/// The manifest, by which the desk is installed as an app.
pub(crate) async fn get_manifest() -> Response {
    let text = include_str!("desk/manifest.webmanifest").replace("{digest}", &DIGEST);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/manifest+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text).into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text behind each of these words, up to the quotation mark.
    fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap_or_default())
    }

    #[test]
    fn the_pages_request_existing_files_by_their_digest() {
        for page in [&*PAGE, &*DOCS_PAGE] {
            let requested: Vec<_> = quoted(page, "\"/desk/assets/").collect();
            assert!(requested.len() > DOCS.len());
            for address in requested {
                let name = address.strip_prefix(&format!("{}/", *DIGEST));
                assert!(name.is_some_and(|name| all().any(|(file, _)| *file == name)), "{address}");
            }
            assert!(!page.contains("{modules}") && !page.contains("{digest}"));
        }
    }

    /// A module's import from its folder, as the name of a file.
    fn resolved(module: &str, import: &str) -> String {
        let mut folders: Vec<_> = module.split('/').collect();
        folders.pop();
        for step in import.split('/') {
            match step {
                "." => {}
                ".." => drop(folders.pop()),
                name => folders.push(name),
            }
        }
        folders.join("/")
    }

    #[test]
    fn modules_import_existing_ones_and_leave_none_out() {
        let is_module = |name: &str| name.ends_with("js");
        let mut imported = vec!["main.js".to_owned(), "docs/main.js".to_owned(), "vendor/preact.mjs".to_owned()];
        for (module, text) in all().filter(|(name, _)| is_module(name)) {
            for import in quoted(text, " from \".").chain(quoted(text, "import(\".")) {
                let name = resolved(module, &format!(".{import}"));
                assert!(all().any(|(file, _)| *file == name), "{module} imports {name}");
                imported.push(name);
            }
        }
        for (name, _) in all().filter(|(name, _)| is_module(name) && !name.contains("uPlot")) {
            assert!(imported.iter().any(|imported| imported == name), "{name} is imported by none");
        }
    }

    #[test]
    fn core_modules_import_core_modules_statically() {
        for (module, text) in CORE {
            for import in quoted(text, " from \".") {
                let name = resolved(module, &format!(".{import}"));
                assert!(CORE.iter().any(|(core, _)| *core == name), "{module} imports {name}, which is not preloaded");
            }
        }
    }
}
