//! The release builds as Lambda runs them, without Docker: attached to the runtime emulator of cargo-lambda, with
//! Postgres over verified TLS and every secret in Secrets Manager (moto's). Migrates, tells the whole story over HTTP,
//! rotates the signing keys, and runs the scheduled function.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::kit::{
    api::{PASSWORD, curl, log_in, tell_story},
    at_once::{Database, answers_at_once},
    command::{Outcome, Process, Run as _, command, tool, wait_for},
    folders::root,
    lambda::{Emulator, http_functions},
    ports,
    postgres::{Cluster, binaries, give},
    scratch::with_folder,
    tools,
};

const OWNER: &str = "microloans_owner";
const OWNER_PASSWORD: &str = "owner-password";

/// Needs what `cargo xtask build x86_64` has built.
pub(crate) fn run(_: &[String]) -> Outcome {
    tools::python("venv")?;
    tools::postgres()?;
    with_folder(|work| {
        let certificates = Certificates::make(work)?;
        let cluster = start_postgres(work, &certificates)?;
        let secrets = Secrets::start(work)?;
        let settings = settings(&secrets, cluster.port, &certificates)?;
        let emulator = Emulator::start(work)?;
        let (owner, password) = (OWNER, OWNER_PASSWORD);
        let database = Database { port: cluster.port, owner, password, authority: &certificates.authority };
        Functions { work, emulator, settings, running: Vec::new() }.try_out(&secrets, &database)
    })
}

/// A certificate authority of the moment, and the database server's certificate by it.
struct Certificates {
    authority: PathBuf,
    key: PathBuf,
    server: PathBuf,
}

impl Certificates {
    fn make(work: &Path) -> Outcome<Self> {
        let file = |name: &str| work.join(name).to_string_lossy().into_owned();
        let (ca, ca_key, key) = (file("ca.pem"), file("ca.key"), file("server.key"));
        let (request, extensions, server) = (file("server.csr"), file("server.ext"), file("server.pem"));
        let openssl = |arguments: &[&str]| command("openssl").args(arguments).to_log(&work.join("openssl.log"))?.run();
        let new_key = ["-newkey", "rsa:2048", "-nodes"];
        let subject = ["-subj", "/CN=test authority", "-addext", "keyUsage=critical,keyCertSign"];
        openssl(
            &[&["req", "-x509"], &new_key[..], &["-days", "2"], &subject, &["-keyout", &ca_key, "-out", &ca]].concat(),
        )?;
        openssl(&[&["req"], &new_key[..], &["-subj", "/CN=localhost", "-keyout", &key, "-out", &request]].concat())?;
        fs::write(&extensions, "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n")?;
        let by = ["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-extfile", &extensions];
        openssl(&[&["x509", "-req", "-days", "2", "-in", &request, "-out", &server], &by[..]].concat())?;
        for file in [&key, &server] {
            give(Path::new(file))?;
        }
        Ok(Self { authority: ca.into(), key: key.into(), server: server.into() })
    }
}

/// A server that lets nothing in but TLS, with an empty database.
fn start_postgres(work: &Path, certificates: &Certificates) -> Outcome<Cluster> {
    let password = work.join("owner");
    fs::write(&password, OWNER_PASSWORD)?;
    give(&password)?;
    let password = password.to_string_lossy();
    let initdb = ["--username", OWNER, "--pwfile", &*password, "--auth", "scram-sha-256", "--locale", "C.UTF-8"];
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificates.server.display()),
        format!("ssl_key_file={}", certificates.key.display()),
    ];
    let access = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
    let cluster = Cluster::start(work, &initdb, Some(access), &settings)?;
    let mut create = command(binaries()?.join("createdb"));
    create.args(["--host", "localhost", "--port", &cluster.port.to_string(), "--username", OWNER, "microloans"]);
    create.envs([("PGPASSWORD", OWNER_PASSWORD), ("PGSSLMODE", "verify-full")]);
    create.env("PGSSLROOTCERT", &certificates.authority).run()?;
    Ok(cluster)
}

/// Secrets Manager, as moto plays it.
struct Secrets {
    endpoint: String,
    _process: Process,
}

impl Secrets {
    fn start(work: &Path) -> Outcome<Self> {
        let port = ports::free()?;
        let mut server = tool("moto_server");
        server.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        let process = server.to_log(&work.join("moto.log"))?.start()?;
        ports::wait_until_open(port, Duration::from_secs(30))?;
        Ok(Self { endpoint: format!("http://127.0.0.1:{port}"), _process: process })
    }

    fn call(&self, action: &str, parameters: &Value) -> Outcome<Value> {
        let target = format!("X-Amz-Target: secretsmanager.{action}");
        let signed = ["--aws-sigv4", "aws:amz:eu-west-1:secretsmanager", "--user", "local:local"];
        let headers = ["--header", &target, "--header", "Content-Type: application/x-amz-json-1.1"];
        let answer =
            curl().args(signed).args(headers).args(["--data", &parameters.to_string(), &self.endpoint]).read()?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Stores a secret and gives its ARN.
    fn store(&self, name: &str, text: &Value) -> Outcome<String> {
        let stored = self.call("CreateSecret", &json!({"Name": name, "SecretString": text.to_string()}))?;
        Ok(stored["ARN"].as_str().ok_or("a secret without an ARN")?.to_owned())
    }

    /// The current text of a secret.
    fn current(&self, arn: &str) -> Outcome<Value> {
        let said = self.call("GetSecretValue", &json!({"SecretId": arn, "VersionStage": "AWSCURRENT"}))?;
        Ok(serde_json::from_str(said["SecretString"].as_str().ok_or("a secret without a text")?)?)
    }
}

/// The functions' variables.
fn settings(secrets: &Secrets, port: u16, certificates: &Certificates) -> Outcome<Vec<(&'static str, String)>> {
    let access = |username: &str, password: &str| {
        let database = "microloans";
        json!({"host": "localhost", "port": port, "dbname": database, "username": username, "password": password})
    };
    let admin = json!({
        "username": "admin", "email": "admin@example.com", "phone": "+254700000001", "password": PASSWORD,
    });
    Ok(vec![
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.endpoint.clone()),
        ("OWNER_DATABASE_SECRET_ARN", secrets.store("owner", &access(OWNER, OWNER_PASSWORD))?),
        ("DATABASE_SECRET_ARN", secrets.store("application", &access("microloans", "application-password"))?),
        // As CloudFormation generates it.
        (SIGNING_KEYS, secrets.store("signing-keys", &json!({"generated": random_key()?}))?),
        ("SEALING_KEYS_SECRET_ARN", secrets.store("sealing-keys", &json!({"generated": random_key()?}))?),
        ("ADMIN_SECRET_ARN", secrets.store("admin", &admin)?),
        ("DATABASE_CA_FILE", certificates.authority.to_string_lossy().into_owned()),
        ("BUSINESS_TIME_ZONE", "UTC".to_owned()),
        ("LOG_LEVEL", "INFO".to_owned()),
    ])
}

const SIGNING_KEYS: &str = "SIGNING_KEYS_SECRET_ARN";

/// 32 bytes as base64url.
fn random_key() -> Outcome<String> {
    let key = command("openssl").args(["rand", "-base64", "32"]).read()?;
    Ok(key.trim().trim_end_matches('=').replace('+', "-").replace('/', "_"))
}

/// The functions that are attached.
struct Functions<'a> {
    work: &'a Path,
    emulator: Emulator,
    settings: Vec<(&'static str, String)>,
    running: Vec<Process>,
}

impl Functions<'_> {
    fn try_out(mut self, secrets: &Secrets, database: &Database<'_>) -> Outcome {
        let base_url = self.emulator.base_url();
        self.start("migrate", 1)?;
        self.invoke("migrate", "{}")?;
        self.invoke("migrate", "{}")?;
        for name in http_functions()? {
            self.start(&name, 2)?;
        }
        self.start("stats", 1)?;
        let health = format!("{base_url}/health/ready");
        wait_for("the functions", Duration::from_secs(30), || {
            command("curl").args(["--silent", "--fail", "--max-time", "5", &health]).succeeds()
        })?;
        command("bash").args([".ci/smoke", &base_url]).run()?;
        tell_story(&base_url)?;
        answers_at_once(&self.emulator, &self.settings, database, self.work)?;
        self.start("rotate", 1)?;
        self.rotate(secrets)?;
        self.invoke("stats", &fs::read_to_string(root().join("tests/events/stats.json"))?)?;
        self.invoke("stats", "{}")
    }

    /// As many processes as requests that may be under way at once.
    fn start(&mut self, name: &str, environments: usize) -> Outcome {
        for _ in 0..environments {
            let log = self.work.join(format!("{name}-{}.log", self.running.len()));
            self.running.push(self.emulator.attach(name, &self.settings, &log)?);
        }
        Ok(())
    }

    fn invoke(&self, name: &str, event: &str) -> Outcome {
        println!("{name}: {}", self.emulator.invoke(name, event)?);
        Ok(())
    }

    /// The four steps of Secrets Manager. The secret then has the earlier key and the next one, and tokens signed with
    /// the earlier one are accepted.
    fn rotate(&mut self, secrets: &Secrets) -> Outcome {
        let base_url = self.emulator.base_url();
        let arn = self.settings.iter().find(|(name, _)| *name == SIGNING_KEYS).map(|(_, arn)| arn.clone());
        let arn = arn.ok_or("no signing keys")?;
        let token = log_in(&base_url, "admin")?;
        let version = command("openssl").args(["rand", "-hex", "16"]).read()?;
        for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
            let event = json!({"Step": step, "SecretId": arn, "ClientRequestToken": version.trim()});
            self.invoke("rotate", &event.to_string())?;
        }
        let keys = secrets.current(&arn)?;
        let known: Vec<_> = keys["keys"].as_object().ok_or("no keys")?.keys().map(String::as_str).collect();
        let next = keys["next"]["kid"].as_str().ok_or("no next key")?;
        if keys["current"] != "generated" || known.len() != 2 || !known.contains(&"generated") || !known.contains(&next)
        {
            return Err(format!("the rotated secret has the keys {known:?}").into());
        }
        println!("rotated; the next key signs from {}", keys["next"]["from"]);
        // A function that starts now reads the new secret.
        self.start("users", 1)?;
        thread::sleep(Duration::from_secs(1));
        let header = format!("Authorization: Bearer {token}");
        curl().args(["--header", &header, &format!("{base_url}/api/users")]).read().map(drop)
    }
}
