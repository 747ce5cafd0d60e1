//! Whatever the gateway routes to a function, that function has: template, emulator and code agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use axum::http::Method;
use local::{
    api::GROUPS,
    operations::{OPERATIONS, Who},
};
use toml_edit::DocumentMut;
use utoipa::openapi::OpenApi;
use yaml_rust2::{Yaml, YamlLoader};

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The functions that answer HTTP, by their crates' names.
fn functions() -> BTreeMap<&'static str, OpenApi> {
    GROUPS.iter().map(|group| (group.name, (group.document)())).collect()
}

/// Routes to functions, as an HTTP API chooses among them: a path of as many segments first, where `{id}` stands for
/// any one, then the longest with `{proxy+}` at its end, which stands for one segment or more, then the default.
#[derive(Debug, PartialEq)]
struct Routes {
    exact: BTreeMap<String, String>,
    greedy: BTreeMap<String, String>,
    default: String,
}

impl Routes {
    /// The default has no path.
    fn new(routes: Vec<(Option<String>, String)>) -> Self {
        let mut all = Self { exact: BTreeMap::new(), greedy: BTreeMap::new(), default: String::new() };
        for (path, function) in routes {
            let earlier = match path.as_deref().map(|path| (path, path.strip_suffix("{proxy+}"))) {
                None => Some(std::mem::replace(&mut all.default, function)).filter(|earlier| !earlier.is_empty()),
                Some((_, Some(prefix))) => all.greedy.insert(prefix.to_owned(), function),
                Some((path, None)) => all.exact.insert(path.to_owned(), function),
            };
            assert_eq!(earlier, None, "a route is there twice");
        }
        assert!(!all.default.is_empty(), "there is no default route");
        all
    }

    fn function(&self, path: &str) -> &str {
        let segments = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let fits = |pattern: &[String], asked: &[String]| {
            pattern
                .iter()
                .zip(asked)
                .all(|(pattern, asked)| pattern == asked || pattern.starts_with('{') && !asked.is_empty())
        };
        let asked = segments(path);
        let whole = self.exact.iter().find(|(pattern, _)| {
            let pattern = segments(pattern);
            pattern.len() == asked.len() && fits(&pattern, &asked)
        });
        let greedy = self.greedy.iter().filter(|(prefix, _)| {
            // The last segment of a prefix is the empty one that the variable stands in for.
            let prefix = segments(prefix);
            let (_, before) = prefix.split_last().unwrap();
            asked.len() > before.len() && fits(before, &asked) && !asked[before.len()..].concat().is_empty()
        });
        let longest = greedy.max_by_key(|(prefix, _)| segments(prefix).len());
        whole.or(longest).map_or(&self.default, |(_, function)| function)
    }
}

/// The routes of template.yaml, in their order. A tag such as `!Ref` is dropped: what it tags stays.
fn listed_routes() -> Vec<(Option<String>, String)> {
    let template = YamlLoader::load_from_str(&file("template.yaml")).unwrap().remove(0);
    let mut routes = Vec::new();
    for (_, resource) in template["Resources"].as_hash().unwrap() {
        let properties = &resource["Properties"];
        if resource["Type"].as_str() != Some("AWS::Serverless::Function") {
            continue;
        }
        let code = properties["CodeUri"].as_str().unwrap();
        let function = code.strip_prefix("functions/").unwrap().trim_end_matches('/');
        for (_, event) in properties["Events"].as_hash().into_iter().flatten() {
            if event["Type"].as_str() != Some("HttpApi") {
                continue;
            }
            let properties = &event["Properties"];
            assert_eq!(properties["ApiId"].as_str(), Some("Api"), "{function}: routes of another gateway");
            let path = properties["Path"].as_str().map(str::to_owned);
            if path.is_some() {
                assert_eq!(properties["Method"].as_str(), Some("ANY"), "{function}: 405 would be the gateway's");
            } else {
                assert_eq!(properties["Method"], Yaml::BadValue, "{function}");
            }
            routes.push((path, function.to_owned()));
        }
    }
    routes
}

fn template_routes() -> Routes {
    Routes::new(listed_routes())
}

/// The heading of the emulator's routes, which are the end of Cargo.toml.
const EMULATOR: &str = "[workspace.metadata.lambda.watch.router]\n";

/// Writes the emulator's routes from those of template.yaml.
fn write_emulator_routes() {
    let manifest = file("Cargo.toml");
    let (others, _) = manifest.split_once(EMULATOR).unwrap();
    let lines = listed_routes().into_iter().flat_map(|(path, function)| {
        let paths = path
            .map_or(vec!["/".to_owned(), "/{*proxy}".to_owned()], |path| vec![path.replace("{proxy+}", "{*proxy}")]);
        paths.into_iter().map(move |path| format!("\"{path}\" = \"{function}\"\n"))
    });
    let table: String = lines.collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    fs::write(path, format!("{others}{EMULATOR}{table}")).unwrap();
}

/// The emulator's routes, in Cargo.toml. It has no default: `/` and everything below stand for that.
fn emulator_routes() -> Routes {
    let manifest: DocumentMut = file("Cargo.toml").parse().unwrap();
    let table = manifest["workspace"]["metadata"]["lambda"]["watch"]["router"].as_table().unwrap();
    let mut default = BTreeSet::new();
    let mut routes = Vec::new();
    for (path, function) in table {
        let function = function.as_str().unwrap().to_owned();
        if matches!(path, "/" | "/{*proxy}") {
            default.insert(function);
        } else {
            routes.push((Some(path.replace("{*proxy}", "{proxy+}")), function));
        }
    }
    assert_eq!(default.len(), 1);
    routes.push((None, default.into_iter().next().unwrap()));
    Routes::new(routes)
}

/// A path with something in place of each variable.
fn called(path: &str) -> String {
    path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment }).collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_is_routed_to_the_function_that_has_it() {
    let (routes, functions) = (template_routes(), functions());
    let all = local::api::descriptions();
    assert!(all.paths.paths.len() > 30);
    for path in all.paths.paths.keys() {
        let function = routes.function(&called(path));
        let document = functions.get(function).unwrap_or_else(|| panic!("{function} answers no HTTP"));
        let same = document.paths.paths.get(path) == all.paths.paths.get(path);
        assert!(same, "{path} is routed to {function}, which has it not or with other methods");
    }
    // And no function has a path that another one is asked for.
    for (function, document) in &functions {
        for path in document.paths.paths.keys() {
            assert_eq!(routes.function(&called(path)), *function, "{path}");
            assert!(all.paths.paths.contains_key(path), "{path} of {function} is not in the document");
        }
    }
}

#[test]
fn the_emulator_routes_as_the_gateway_does() {
    if std::env::var_os("UPDATE_ROUTES").is_some() {
        write_emulator_routes();
    }
    assert_eq!(emulator_routes(), template_routes(), "UPDATE_ROUTES=1 writes the table of Cargo.toml (left)");
    let routes = template_routes();
    for (path, function) in [
        ("/", "site"),
        ("/nothing", "site"),
        ("/api", "site"),
        ("/api/auth", "site"),
        ("/api/loansx", "site"),
        ("/api/loans/", "site"),
        ("/api/loans/x/y", "site"),
        ("/api/loans/x/y/z", "site"),
        ("/api/loans/x", "loans"),
        ("/api/loans/x/repayments", "servicing"),
        ("/api/loans/x/repayments/y", "site"),
        ("/api/loans/x/history", "loans"),
        ("/api/loans/x/transactions/y/reversal", "servicing"),
        ("/api/repayments/batch", "servicing"),
        ("/api/ledger/accounts", "servicing"),
        ("/api/agents/me/requests", "users"),
        ("/api/agents/me/performance", "portfolio"),
        ("/api/agents/me/nothing", "site"),
        ("/api/payment-sources/x/rotate", "payments"),
        ("/api/hooks/x/y/confirmation", "payments"),
        ("/api/payments/x/apply", "payments"),
        ("/api/stats/history", "portfolio"),
        ("/api/portfolio/arrears", "portfolio"),
        ("/api/collections/x", "site"),
    ] {
        assert_eq!(routes.function(path), function, "{path}");
    }
}

/// A key of route settings that names no route fails a deployment.
#[test]
fn what_costs_much_has_a_throttle_of_its_own() {
    let template = YamlLoader::load_from_str(&file("template.yaml")).unwrap().remove(0);
    let settings = &template["Resources"]["Api"]["Properties"]["RouteSettings"];
    let throttled: BTreeSet<&str> =
        settings.as_hash().unwrap().keys().map(|key| key.as_str().unwrap().strip_prefix("ANY ").unwrap()).collect();
    let routes = template_routes();
    for path in &throttled {
        let exact = path.strip_suffix("{proxy+}").is_none_or(|prefix| !routes.greedy.contains_key(prefix));
        assert!(!exact || routes.exact.contains_key(*path), "{path} is no route");
    }
    // Computations open to anyone, without login.
    let computed = OPERATIONS.iter().filter(|row| row.who == Who::Anyone && row.method != Method::GET);
    let computed: Vec<&str> = computed.map(|row| row.path).collect();
    assert!(computed.len() >= 4, "{computed:?}");
    // Operations that hash, fold all transactions of a loan, do many things at once or read much.
    let costly = [
        "/api/auth/password",
        "/api/repayments/batch",
        "/api/loans/{id}/schedule",
        "/api/loans/{id}/settlement",
        "/api/loans/{id}/statement",
        "/api/ledger/trial-balance",
        "/api/customers/{id}/export",
        "/api/stats",
        "/api/stats/history",
        "/api/portfolio/arrears",
        "/api/collections",
        "/api/agents/{id}/performance",
    ];
    for path in computed.into_iter().chain(costly) {
        let below = |it: &&str| it.strip_suffix("{proxy+}").is_some_and(|prefix| path.starts_with(prefix));
        let has = throttled.contains(path) || throttled.iter().any(below);
        assert!(has, "{path} has no throttle of its own");
    }
}

#[test]
fn every_function_is_deployed_and_tried_in_ci() {
    let template = YamlLoader::load_from_str(&file("template.yaml")).unwrap().remove(0);
    let resources = template["Resources"].as_hash().unwrap();
    let deployed: BTreeSet<_> =
        resources.iter().filter_map(|(_, resource)| resource["Properties"]["CodeUri"].as_str()).collect();
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions")).unwrap();
    let folders: BTreeSet<_> =
        folders.map(|folder| format!("functions/{}/", folder.unwrap().file_name().into_string().unwrap())).collect();
    assert_eq!(deployed, folders.iter().map(String::as_str).collect());

    let script = file("tests/python/stack.py");
    let line = script.lines().find_map(|line| line.strip_prefix("HTTP = [")).unwrap();
    let tried: BTreeSet<_> =
        line.trim_end_matches(']').split(", ").map(|name| name.trim_matches('"').to_lowercase()).collect();
    assert_eq!(tried, functions().into_keys().map(str::to_owned).collect());
}
