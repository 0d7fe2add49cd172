//! Every way to get a configuration wrong.

use super::{Case, GOOD};

/// Line two of the file, and what must be said about it.
const BAD_LINES: &[(&str, &str)] = &[
    (
        "lisen = \"127.0.0.1:1\"",
        ":2: lisen: is no key of this table; did you mean listen?",
    ),
    (
        "[keys]\nalgoritm = \"ES256\"",
        ":3: keys.algoritm: is no key of this table; did you mean algorithm?",
    ),
    (
        "[limts]",
        ":2: limts: is no key of this table; did you mean limits?",
    ),
    (
        "[keys]\nzzzzzzzz = 1",
        "it has algorithm, rotate_every, distribute",
    ),
    (
        "listen = \"localhost\"",
        ":2: listen: \"localhost\" is no address with a port",
    ),
    (
        "listen = 8420",
        ":2: listen: is a number; write \"ADDRESS:PORT\"",
    ),
    ("keys = 5", ":2: keys: is a number; write a table, [keys]"),
    (
        "[keys]\nalgorithm = \"HS256\"",
        ":3: keys.algorithm: \"HS256\" is no algorithm",
    ),
    (
        "[keys]\nrotate_every = 90",
        ":3: keys.rotate_every: is a number without a unit",
    ),
    (
        "[keys]\nrotate_every = \"1d\"",
        "keys.distribute: is not shorter than rotate_every",
    ),
    ("browser_lifetime = \"0s\"", ":2: browser_lifetime: is zero"),
    (
        "request_timeout = \"ten\"",
        ":2: request_timeout: \"ten\" is no duration",
    ),
    (
        "[device]\nlifetime = \"2h\"",
        ":3: device.lifetime: is longer than 1h",
    ),
    (
        "[device]\nlifetime = \"5s\"",
        "device.interval: is not shorter than lifetime",
    ),
    (
        "[limits]\nlogin_per_minute = 0",
        ":3: limits.login_per_minute: is out of range",
    ),
    (
        "[limits]\nlogin_per_minute = -1",
        ":3: limits.login_per_minute: is out of range",
    ),
    (
        "trusted_proxies = [\n\"10.0.0.0/8\",\n\"proxy\"]",
        ":4: trusted_proxies: \"proxy\" is no network",
    ),
    (
        "[smtp]\nurl = \"mail.example.com\"\nfrom = \"a@example.com\"",
        ":3: smtp.url: is no SMTP URL",
    ),
    (
        "[smtp]\nurl = \"smtp://u:p@mail.example.com\"",
        "smtp.from: is missing beside url",
    ),
    (
        "[tls]\ncertificate = \"no.pem\"",
        ":3: tls.certificate: cannot read DIR/no.pem",
    ),
    (
        "[tls]\ncertificate = \"tenure.toml\"",
        "tls.key: is missing beside certificate",
    ),
    (
        "master_secret = \"x\"",
        ":2: master_secret: a secret does not belong in this file",
    ),
    (
        "clients = []",
        ":2: clients: is a list; write a table, [clients]",
    ),
    (
        "[clients]\nweb = true",
        ":3: clients.web: is no table; write [clients.web]",
    ),
    (
        "[clients.\"a b\"]\nname = \"x\"",
        "clients.a b: is no client id",
    ),
    (
        "issuer = \"https://other.example\"",
        ":2: not TOML: duplicate key",
    ),
    ("listen = ", ":2: not TOML:"),
];

#[test]
fn a_bad_value_is_named_with_its_line_and_the_fix() {
    for (line, wanted) in BAD_LINES {
        let problems = Case::new(&format!("{GOOD}{line}\n")).problems();
        assert!(
            problems.contains(wanted),
            "{line}\nwanted {wanted}\ngot    {problems}"
        );
    }
}

#[test]
fn a_bad_issuer_is_refused() {
    for (issuer, wanted) in [
        ("http://auth.example.com", "in the clear"),
        ("https://auth.example.com/", "ends with a slash"),
        ("https://auth.example.com?x=1", "query or a fragment"),
        ("https://Auth.example.com", "normal form"),
        ("https://auth.example.com:443", "normal form"),
        ("https://me@auth.example.com", "has a user name"),
        ("auth.example.com", "is no URL"),
        ("ftp://auth.example.com", "neither https nor http"),
    ] {
        let problems = Case::new(&format!("issuer = \"{issuer}\"")).problems();
        let start = format!("DIR/tenure.toml:1: issuer: \"{issuer}\"");
        assert!(
            problems.starts_with(&start) && problems.contains(wanted),
            "{problems}"
        );
    }
    for issuer in [
        "https://a.example/auth",
        "http://127.0.0.1:8420",
        "http://localhost:1",
        "http://[::1]:1",
    ] {
        assert_eq!(
            Case::new(&format!("issuer = \"{issuer}\""))
                .loaded()
                .config
                .issuer,
            issuer
        );
    }
    assert!(
        Case::new("")
            .problems()
            .contains("issuer: is missing; give the URL")
    );
}

/// Lines of a client's table, and what must be said about them.
const BAD_CLIENTS: &[(&str, &str)] = &[
    (
        "redirect_uris = [\"myapp:/cb\"]",
        ":3: clients.web.redirect_uris: \"myapp:/cb\" has a scheme that any app may claim",
    ),
    (
        "redirect_uris = [\"http://app.example.com/cb\"]",
        "in the clear",
    ),
    ("redirect_uris = [\"https://*.example.com/cb\"]", "wildcard"),
    (
        "redirect_uris = [\"https://app.example.com/cb#x\"]",
        "fragment",
    ),
    (
        "redirect_uris = [\"https://u@app.example.com/cb\"]",
        "user name",
    ),
    ("redirect_uris = [\"/cb\"]", "no absolute URI"),
    (
        "redirect_uri = []",
        ":3: clients.web.redirect_uri: is no key of this table; did you mean redirect_uris?",
    ),
    (
        "grants = [\"password\"]",
        ":3: clients.web.grants: \"password\" is no grant type",
    ),
    (
        "grants = [\"authorization_code\"]",
        "redirect_uris is empty",
    ),
    (
        "grants = [\"client_credentials\"]",
        "the client has no secret",
    ),
    (
        "policy = \"none\"",
        ":3: clients.web.policy: is none, but the client has no secret",
    ),
    ("policy = \"sometimes\"", "is no policy"),
    (
        "policy = \"strict\"\nlate_window = \"30s\"",
        ":4: clients.web.late_window: has no meaning",
    ),
    ("late_window = \"1h\"", "longer than 10m"),
    (
        "scope = \"openid tenure:admin\"",
        "has tenure:admin, but anyone can claim",
    ),
    ("scope = 'a\"b'", "cannot stand in a scope"),
    (
        "secret = \"hunter2-hunter2\"",
        ":3: clients.web.secret: a secret does not belong in this file",
    ),
    ("secret_sha256 = \"abc\"", "is no SHA-256"),
    ("secret_file = \"nowhere\"", "cannot read DIR/nowhere"),
    ("audience = [\"a b\"]", "is no audience"),
    ("allowed_origins = [\"*\"]", "is no origin"),
    (
        "allowed_origins = [\"https://app.example.com/\"]",
        "is no origin",
    ),
    (
        "[clients.web.lifetimes]\nidle = \"400d\"",
        ":4: clients.web.lifetimes.idle: is longer than absolute",
    ),
    (
        "[clients.web.lifetimes]\naccess = \"31d\"",
        "access: is longer than idle",
    ),
    (
        "[clients.web.lifetimes]\nidel = \"1d\"",
        "did you mean idle?",
    ),
    (
        "[clients.web.claims]\nsub = \"x\"",
        ":4: clients.web.claims.sub: is a claim that the service sets itself",
    ),
    (
        "claims = { rate = nan }",
        "clients.web.claims.rate: holds a number that JSON cannot say",
    ),
];

#[test]
fn a_bad_client_is_refused() {
    for (text, wanted) in BAD_CLIENTS {
        let problems = Case::client(text).problems();
        assert!(
            problems.contains(wanted),
            "{text}\nwanted {wanted}\ngot    {problems}"
        );
    }
}

#[test]
fn all_problems_come_at_once() {
    let problems =
        Case::client("policy = \"none\"\nnmae = \"x\"\n[keys]\nalgorithm = 1").problems();
    assert_eq!(problems.lines().count(), 3, "{problems}");
}

#[test]
fn a_secret_never_stands_in_a_problem() {
    let text = "[smtp]\nurl = \"ftp://u:hunter2@mail\"\n[clients.web]\nsecret = \"hunter2\"\nsecret_sha256 = \"hunter2\"";
    let problems = Case::new(text)
        .with("TENURE_MASTER_SECRET", "hunter2")
        .problems();
    assert!(
        problems.lines().count() >= 4 && !problems.contains("hunter2"),
        "{problems}"
    );
}

#[test]
fn monitoring_on_the_address_that_apps_use_is_refused() {
    let case = Case::new(&format!("{GOOD}monitor_listen = \"127.0.0.1:8420\"\n"));
    assert!(
        case.problems()
            .contains(":2: monitor_listen: is the address of listen; choose another port"),
        "{}",
        case.problems()
    );
}
