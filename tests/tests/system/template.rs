//! The readers of template.yaml's parameters accept every value that its patterns allow: a value that the migrations or
//! the functions would refuse is refused before anything is deployed.

use std::{fs, path::Path};

use backend::{
    config::Limit,
    http::origin::OriginSecret,
    values::text::{Email, Phone, Username},
};
use jiff::tz::{self, TimeZone};
use local::cors;
use serde_json::json;
use tests::document::violations;
use yaml_rust2::{Yaml, YamlLoader};

fn template(name: &str) -> Yaml {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    YamlLoader::load_from_str(&fs::read_to_string(path).unwrap()).unwrap().remove(0)
}

/// The values of a list of the template, as text.
fn texts(list: &Yaml) -> Vec<&str> {
    list.as_vec().unwrap().iter().filter_map(Yaml::as_str).collect()
}

/// True if CloudFormation accepts this for a parameter.
fn takes(parameter: &Yaml, text: &str) -> bool {
    if parameter["AllowedValues"] != Yaml::BadValue {
        return texts(&parameter["AllowedValues"]).contains(&text);
    }
    let pattern = parameter["AllowedPattern"].as_str().unwrap();
    violations(&json!({"type": "string", "pattern": pattern}), &json!(text)).is_empty()
}

/// A reader's verdict on a value.
type Reads = fn(&str) -> bool;

/// A parameter that code of ours reads, with values that it takes and values that it does not.
type Row = (&'static str, Reads, Vec<String>, Vec<String>);

fn all(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn read() -> Vec<Row> {
    [of_the_first_admin(), of_the_interface()].into_iter().flatten().collect()
}

fn of_the_first_admin() -> Vec<Row> {
    let username: Reads = |text| serde_json::from_value::<Username>(json!(text)).is_ok();
    let email: Reads = |text| serde_json::from_value::<Email>(json!(text)).is_ok();
    let phone: Reads = |text| serde_json::from_value::<Phone>(json!(text)).is_ok();
    let (local, label) = ("l".repeat(64), "d".repeat(63));
    let longest = format!("{local}@{label}.{label}.{}", "d".repeat(254 - 64 - 1 - 64 - 64));
    vec![
        (
            "AdminUsername",
            username,
            [all(&["abc", "admin", "A.b_c-9", "0123456789abcdef0123456789abcde"]), vec![local.clone()]].concat(),
            [
                all(&["", "ab", "a b", "a@b", "\u{e9}ric", "0123456789abcdef0123456789abcdef"]),
                all(&["01234567-89ab-cdef-0123-456789ABCDEF", "abc\n"]),
                vec!["a".repeat(65)],
            ]
            .concat(),
        ),
        (
            "AdminEmail",
            email,
            [all(&["you@example.com", "a@b.c", "o'neill+x@mail.example.co.ke", "a.@x-y.1"]), vec![longest.clone()]]
                .concat(),
            [
                all(&[
                    "",
                    "you",
                    "you@example",
                    "@example.com",
                    "you@",
                    "a b@example.com",
                    "a@b@example.com",
                    "you@-a.com",
                ]),
                all(&[
                    "you@a-.com",
                    "you@a..com",
                    "you@.com",
                    "you@example.com.",
                    "\u{e9}@example.com",
                    "a\"b@example.com",
                ]),
                all(&[
                    "you@ex\u{e4}mple.com",
                    "you@example.com,me@example.com",
                    "a(b)@example.com",
                    "you@example.com\n",
                ]),
                vec![format!("{longest}d"), format!("l{local}@example.com"), format!("a@d{label}.com")],
            ]
            .concat(),
        ),
        (
            "AdminPhone",
            phone,
            all(&["+254700000001", "+1234567", "+123456789012345"]),
            all(&[
                "",
                "254700000001",
                "+0700000001",
                "+1234567890123456",
                "+254 700",
                "+254-700000",
                "+1",
                "+\u{661}234567",
            ]),
        ),
    ]
}

fn of_the_interface() -> Vec<Row> {
    let zone: Reads = |text| TimeZone::get(text).is_ok();
    let origins: Reads = |text| cors::layer(text).is_ok();
    let secret: Reads = |text| text.is_empty() || OriginSecret::fixed(text).is_ok();
    let (word, other) = ("w".repeat(32), "o".repeat(256));
    vec![
        (
            "BusinessTimeZone",
            zone,
            all(&["UTC", "Africa/Nairobi", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "Etc/GMT+3"]),
            all(&["", "Nairobi", "Africa/Nowhere", "Mars/Olympus", "+03:00", "EAT", "Africa/", "UTC "]),
        ),
        (
            "AllowedOrigins",
            origins,
            all(&[
                "",
                "*",
                "https://app.example.com",
                "http://localhost:5173",
                "https://a.example:8443,http://b.example",
            ]),
            all(&[
                "localhost:5173",
                "http://localhost/",
                "https://a.example:443",
                "http://a.example,http://b.example:80",
                "HTTP://a.example",
                "https://A.example",
                "null",
                "*,*",
                "https://a.example:65536",
                "https://a.example:0443",
                "https://a.example?b",
                "https://user@a.example",
            ]),
        ),
        (
            "OriginSecret",
            secret,
            vec![String::new(), word.clone(), other.clone(), format!("{word},{other}"), format!("{word}+/=._~-")],
            vec![
                "short".to_owned(),
                format!("{word},"),
                format!(",{word}"),
                format!("{word}, {word}"),
                format!("{word},{word},{word}"),
                format!("{word}\u{e9}"),
                format!("{word} {word}"),
                format!("{other}o"),
            ],
        ),
    ]
}

#[test]
fn a_parameter_takes_what_its_reader_takes() {
    let template = template("template.yaml");
    for (name, reads, good, bad) in read() {
        let parameter = &template["Parameters"][name];
        for text in good {
            assert!(takes(parameter, &text) && reads(&text), "{name}: {text:?}");
        }
        for text in bad {
            assert!(!takes(parameter, &text), "{name} may be {text:?}");
        }
    }
}

/// A pattern that says more than its reader would let values through that a deployment then fails on.
#[test]
fn what_a_reader_refuses_no_parameter_takes() {
    let template = template("template.yaml");
    let readers = read();
    // Each parameter's values with each reader: most do not belong to it.
    let values: Vec<String> =
        readers.iter().flat_map(|(_, _, good, bad)| [good.clone(), bad.clone()].concat()).collect();
    for (name, reads, _, _) in &readers {
        let parameter = &template["Parameters"][*name];
        for text in &values {
            assert!(reads(text) || !takes(parameter, text), "{name} may be {text:?}");
        }
    }
}

#[test]
fn every_time_zone_of_the_template_is_known_and_every_known_one_is_there() {
    let template = template("template.yaml");
    let listed = texts(&template["Parameters"]["BusinessTimeZone"]["AllowedValues"]);
    for name in &listed {
        assert!(TimeZone::get(name).is_ok(), "{name}");
    }
    let bundled = tz::TimeZoneDatabase::bundled();
    let of_a_region = |name: &str| {
        name.split_once('/')
            .is_some_and(|(region, _)| listed.iter().any(|other| other.split('/').next() == Some(region)))
    };
    for name in bundled.available() {
        let name = name.as_str();
        assert!(!of_a_region(name) || listed.contains(&name), "{name} is missing in BusinessTimeZone");
    }
}

/// A parameter of text says what it may be.
#[test]
fn every_parameter_has_a_pattern_values_or_bounds() {
    for file in ["template.yaml", "front.yaml"] {
        let template = template(file);
        for (name, parameter) in template["Parameters"].as_hash().unwrap() {
            let says = |what: &str| parameter[what] != Yaml::BadValue;
            let bound = if parameter["Type"].as_str() == Some("Number") { "MinValue" } else { "AllowedPattern" };
            assert!(says(bound) || says("AllowedValues"), "{file}: {name:?} may be anything");
            if let Some(default) = parameter["Default"].as_str() {
                let is_text = parameter["Type"].as_str() != Some("Number");
                assert!(!is_text || takes(parameter, default), "{file}: the default of {name:?}");
            }
        }
    }
}

/// Alarms on metrics of our own ring on what is written, and on nothing else.
#[test]
fn alarms_ring_on_metrics_that_the_scheduled_function_writes() {
    let template = template("template.yaml");
    let resources = template["Resources"].as_hash().unwrap().values();
    let alarms = resources.filter(|it| it["Type"].as_str() == Some("AWS::CloudWatch::Alarm"));
    let ours = alarms.filter(|it| it["Properties"]["Namespace"].as_str() == Some("AWS::StackName"));
    let names: Vec<&str> = ours.map(|it| it["Properties"]["MetricName"].as_str().unwrap()).collect();
    assert_eq!(names, stats::arrivals::METRICS);
    let hours = &template["Parameters"]["UnappliedHours"];
    let bounds = ["MinValue", "Default", "MaxValue"].map(|name| hours[name].as_i64().unwrap());
    assert_eq!(bounds, [1, 24, 720], "as the function reads it");
}

#[test]
fn what_the_template_gives_the_functions_is_read() {
    let template = template("template.yaml");
    let variables = &template["Resources"]["AuthFunction"]["Properties"]["Environment"]["Variables"];
    let limits: Vec<_> =
        variables.as_hash().unwrap().iter().filter(|(name, _)| name.as_str().unwrap().starts_with("LIMIT_")).collect();
    assert_eq!(limits.len(), 6);
    for (name, text) in limits {
        assert!(Limit::parse(text.as_str().unwrap()).is_some(), "{name:?}");
    }
    for wrong in ["", "10", "10/0", "0/1", "10/86401", "-1/1", "a/b", "10/1/1"] {
        assert!(Limit::parse(wrong).is_none(), "{wrong}");
    }
    for level in texts(&template["Parameters"]["LogLevel"]["AllowedValues"]) {
        assert!(level.parse::<tracing::Level>().is_ok(), "{level}");
    }
}
