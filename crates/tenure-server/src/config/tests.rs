//! Every way to get a configuration wrong, and who wins where two say something.

mod bad;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tenure_core::id::ClientId;
use tenure_core::lineage::Policy;

use super::{ClientSecret, Flags, GrantType, Inputs, Loaded, Purpose, Rejected, Source, load};

const MASTER: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const GOOD: &str = "issuer = \"https://auth.example.com\"\n";

struct Case {
    directory: TempDir,
    inputs: Inputs,
}

impl Case {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tenure.toml");
        std::fs::write(&file, text).unwrap();
        let environment = [("TENURE_MASTER_SECRET".to_owned(), MASTER.to_owned())];
        let flags = Flags {
            config: Some(file),
            data: Some(directory.path().join("data")),
            ..Flags::default()
        };
        let inputs = Inputs {
            flags,
            environment: environment.into(),
            purpose: Purpose::Serve,
        };
        Self { directory, inputs }
    }

    fn client(text: &str) -> Self {
        Self::new(&format!("{GOOD}[clients.web]\n{text}\n"))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.inputs
            .environment
            .insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, Rejected> {
        load(&self.inputs)
    }

    fn problems(&self) -> String {
        let rejected = self.load().expect_err("it must be refused").to_string();
        rejected.replace(&*self.directory.path().to_string_lossy(), "DIR")
    }

    fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|rejected| panic!("{rejected}"))
    }
}

fn web() -> ClientId {
    ClientId::new("web")
}

#[test]
fn a_flag_beats_a_variable_and_a_variable_the_file() {
    let text = format!("listen = \"127.0.0.1:1\"\n{GOOD}[limits]\nlogin_per_minute = 3\n");
    let from_file = Case::new(&text).loaded();
    assert_eq!(from_file.config.listen.port(), 1);
    let Some(Source::File { line: 1, .. }) =
        from_file.sources.find("listen").map(|one| &one.source)
    else {
        panic!("{}", from_file.sources)
    };

    let mut case = Case::new(&text)
        .with("TENURE_LISTEN", "127.0.0.1:2")
        .with("TENURE_LIMITS_LOGIN_PER_MINUTE", "4")
        .with("TENURE_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")
        .with("TENURE_ISSUER", "");
    let from_variable = case.loaded();
    assert_eq!(from_variable.config.listen.port(), 2);
    assert_eq!(from_variable.config.limits.login_per_minute, 4);
    assert_eq!(from_variable.config.trusted_proxies.len(), 2);
    assert_eq!(from_variable.config.issuer, "https://auth.example.com");

    case.inputs.flags.listen = Some("127.0.0.1:3".to_owned());
    let from_flag = case.loaded();
    assert_eq!(from_flag.config.listen.port(), 3);
    assert_eq!(
        from_flag.sources.find("listen").unwrap().source,
        Source::Flag("--listen")
    );
}

#[test]
fn a_misspelt_variable_is_refused_and_a_foreign_one_is_only_named() {
    let problems = Case::new(GOOD)
        .with("TENURE_LISTNE", "127.0.0.1:2")
        .problems();
    assert_eq!(
        problems,
        "TENURE_LISTNE: is no variable of Tenure; did you mean TENURE_LISTEN?"
    );
    let loaded = Case::new(GOOD)
        .with("TENURE_SERVICE_HOST", "10.0.0.1")
        .with("TENURE_SOMETHING_ELSE", "1")
        .loaded();
    let named = |text: &str| {
        loaded
            .warnings
            .iter()
            .filter(|one| one.contains(text))
            .count()
    };
    assert_eq!(
        (named("TENURE_SOMETHING_ELSE"), named("SERVICE_HOST")),
        (1, 0)
    );
}

#[test]
fn a_full_client_is_read() {
    let loaded = Case::client(
        r#"
name = "Web shop"
secret_file = "web.secret"
redirect_uris = ["https://shop.example.com/cb", "com.example.shop:/cb", "http://127.0.0.1/cb"]
scope = "openid orders"
audience = ["https://api.example.com"]
policy = "none"
late_window = "20s"
allowed_origins = ["https://shop.example.com", "http://localhost:3000"]
lifetimes = { access = "5m", idle = "24h", absolute = "90d" }
[clients.web.claims]
tenant = "blue"
plan = { level = 3, beta = true }
"#,
    );
    let Err(rejected) = &loaded.load() else {
        panic!("the secret file is missing")
    };
    assert!(rejected.to_string().contains("web.secret"));
    std::fs::write(
        loaded.directory.path().join("web.secret"),
        "sixteen-characters-or-more\n",
    )
    .unwrap();
    let loaded = loaded.loaded();
    let client = loaded.config.client(&web()).unwrap();
    assert!(
        client
            .secret
            .as_ref()
            .unwrap()
            .matches("sixteen-characters-or-more")
    );
    assert_eq!(
        client.grants,
        [GrantType::AuthorizationCode, GrantType::RefreshToken]
    );
    assert_eq!(client.rules.policy, Policy::None);
    assert_eq!(client.rules.late_window, Duration::from_secs(20));
    assert_eq!(client.lifetimes.idle, Duration::from_hours(24));
    assert_eq!(client.claims["plan"]["level"], 3);
    assert_eq!(
        loaded
            .sources
            .find("clients.web.claims.tenant")
            .unwrap()
            .value,
        "\"blue\""
    );
}

#[test]
fn show_names_every_source_and_no_secret() {
    let hash = "ab".repeat(32);
    let text = format!(
        "{GOOD}[smtp]\nurl = \"smtps://u:hunter2@mail.example.com\"\nfrom = \"a@example.com\"\n[clients.web]\nsecret_sha256 = \"{hash}\"\n"
    );
    let shown = Case::new(&text).loaded().sources.to_string();
    for hidden in ["hunter2", MASTER, &hash] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    let line = |key: &str| {
        let line = shown
            .lines()
            .find(|line| line.split_whitespace().next() == Some(key));
        line.unwrap_or_else(|| panic!("{key} in {shown}"))
    };
    assert!(line("master_secret").ends_with("TENURE_MASTER_SECRET"));
    assert!(line("smtp.url").contains("set") && line("smtp.url").ends_with("tenure.toml:3"));
    assert!(line("data").ends_with("--data"));
    assert!(
        line("keys.algorithm").contains("ES256") && line("keys.algorithm").ends_with("default")
    );
    assert!(line("clients.web.lifetimes.idle").contains("30d"));
}

#[test]
fn the_master_secret_is_long_and_stands_in_one_place() {
    for (secret, wanted) in [
        ("short", "needs at least 32"),
        (
            "0123456789abcdef0123456789abcdef",
            "has 32 hexadecimal digits, it needs at least 64",
        ),
        (
            "abababababababababababababababXYababab",
            "repeats the same few characters",
        ),
        (
            "",
            "is missing; give at least 32 random bytes in TENURE_MASTER_SECRET",
        ),
    ] {
        let problems = Case::new(GOOD)
            .with("TENURE_MASTER_SECRET", secret)
            .problems();
        assert!(problems.contains(wanted), "{problems}");
    }
    let twice = Case::new(GOOD).with("TENURE_MASTER_SECRET_FILE", "/nonexistent");
    assert!(
        twice
            .problems()
            .contains("stands both in TENURE_MASTER_SECRET and in a file")
    );

    let text = format!("{GOOD}master_secret_file = \"master\"");
    let case = Case::new(&text).with("TENURE_MASTER_SECRET", "");
    assert!(case.problems().contains("cannot read DIR/master"));
    std::fs::write(case.directory.path().join("master"), format!("{MASTER}\n")).unwrap();
    let loaded = case.loaded();
    assert_eq!(loaded.config.master_secret.expose(), MASTER);
    assert!(
        loaded
            .warnings
            .iter()
            .any(|one| one.contains("readable by everyone"))
    );
}

fn dev() -> Case {
    let mut case = Case::new("");
    case.inputs.environment = BTreeMap::new();
    case.inputs.flags.config = None;
    case.inputs.flags.dev = true;
    case
}

#[test]
fn dev_brings_clients_and_makes_a_master_secret_once() {
    use std::os::unix::fs::PermissionsExt as _;

    let case = dev();
    let loaded = case.loaded();
    let client = |id: &str| loaded.config.client(&ClientId::new(id)).unwrap();
    assert!(client("demo").is_public() && client("demo").first_party);
    assert_eq!(
        client("demo-api").secret,
        Some(ClientSecret::of("demo-secret"))
    );
    assert!(client("demo-api").may_use(GrantType::ClientCredentials));
    assert_eq!(loaded.config.issuer, "http://127.0.0.1:8420");
    assert_eq!(
        loaded.sources.find("clients.demo.scope").unwrap().source,
        Source::Flag("--dev")
    );

    let path = case.directory.path().join("data/master-secret");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let generated = loaded.sources.find("master_secret").unwrap();
    assert_eq!(generated.source, Source::Generated(path));
    assert_eq!(
        case.loaded().config.master_secret,
        loaded.config.master_secret
    );

    let mut beside = case;
    beside.inputs.flags.dev = false;
    beside.inputs.purpose = Purpose::Beside;
    beside
        .inputs
        .environment
        .insert("TENURE_ISSUER".to_owned(), "http://127.0.0.1:1".to_owned());
    assert_eq!(
        beside.loaded().config.master_secret,
        loaded.config.master_secret
    );
}

#[test]
fn looking_at_a_configuration_makes_no_file() {
    let mut case = dev();
    case.inputs.purpose = Purpose::Inspect;
    case.loaded();
    assert!(!case.directory.path().join("data").exists());
}

#[test]
fn dev_stays_on_loopback() {
    let mut case = dev();
    case.inputs.flags.listen = Some("0.0.0.0:8420".to_owned());
    let problems = case.problems();
    assert!(
        problems.starts_with("--listen: listen: 0.0.0.0:8420 can be reached by others"),
        "{problems}"
    );
}

#[test]
fn dev_needs_a_data_directory_that_can_be_written() {
    let mut case = dev();
    let file = case.directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    case.inputs.flags.data = Some(file);
    assert!(
        case.problems()
            .contains("cannot write to the data directory DIR/file")
    );
}

#[test]
fn a_client_of_the_file_takes_the_place_of_a_demo_one() {
    let mut case = Case::new("[clients.demo]\nname = \"Mine\"");
    case.inputs.flags.dev = true;
    let loaded = case.loaded();
    assert_eq!(
        loaded.config.client(&ClientId::new("demo")).unwrap().name,
        "Mine"
    );
    assert_eq!(loaded.config.clients.len(), 2);
}

#[test]
fn port_zero_becomes_the_real_one_in_the_issuer_too() {
    let mut case = dev();
    case.inputs.flags.listen = Some("[::1]:0".to_owned());
    let mut loaded = case.loaded();
    loaded.bound_to("[::1]:4711".parse().unwrap());
    assert_eq!(loaded.config.issuer, "http://[::1]:4711");
    let again = loaded.reload().unwrap();
    assert_eq!(again.config.issuer, loaded.config.issuer);
    assert_eq!(again.warnings, loaded.warnings);
}

#[test]
fn a_reload_sees_new_clients_and_names_what_needs_a_restart() {
    let case = Case::client("name = \"Old\"");
    let file: PathBuf = case.inputs.file().unwrap();
    let loaded = case.loaded();
    let text = "issuer = \"https://new.example.com\"\n[clients.web]\nname = \"New\"\n[limits]\nlogin_per_minute = 9\nconnections = 7\n[device]\ninterval = \"7s\"\n";
    std::fs::write(&file, text).unwrap();
    let next = loaded.reload().unwrap();
    assert_eq!(next.config.client(&web()).unwrap().name, "New");
    assert_eq!(next.config.limits.login_per_minute, 9);
    assert_eq!(next.config.device.interval, Duration::from_secs(7));
    assert_eq!(next.config.issuer, "https://auth.example.com");
    let restart: Vec<_> = next
        .warnings
        .iter()
        .filter(|one| one.contains("restart"))
        .collect();
    assert_eq!(
        restart,
        [
            "issuer has changed; it takes effect after a restart",
            "limits.connections has changed; it takes effect after a restart"
        ]
    );

    std::fs::write(&file, "issuer = 5").unwrap();
    assert!(
        loaded
            .reload()
            .unwrap_err()
            .to_string()
            .contains(":1: issuer: is a number")
    );
}

#[test]
fn the_documented_configuration_is_a_good_one() {
    let page = include_str!("../../../../docs/configuration.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let config = Case::new(text).load().unwrap().config;
    assert_eq!(config.clients.len(), 3);
    // What the page calls a default is one.
    let plain = Case::client("redirect_uris = [\"https://app.example.com/cb\"]");
    let plain = plain.load().unwrap().config;
    assert_eq!(config.limits, plain.limits);
    assert_eq!(config.device, plain.device);
    assert_eq!(config.browser_lifetime, plain.browser_lifetime);
    assert_eq!(config.request_timeout, plain.request_timeout);
    assert_eq!(config.keys.rotate_every, plain.keys.rotate_every);
    assert_eq!(config.keys.distribute, plain.keys.distribute);
    let lifetimes = |config: &super::Config, id| config.clients[&ClientId::new(id)].lifetimes;
    assert_eq!(lifetimes(&config, "phone"), lifetimes(&plain, "web"));
}
