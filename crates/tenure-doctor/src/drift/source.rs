//! Programs: names and literals of a verifier's settings, and keys that are made up at the start.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::value::Place;
use super::{Belief, Effective, Holder, Subject, names};
use crate::Source;

/// Ends of file names in which the settings of a verifier may stand.
const ENDINGS: [&str; 21] = [
    "js", "mjs", "cjs", "ts", "mts", "py", "rb", "go", "java", "kt", "kts", "scala", "php", "cs",
    "ex", "exs", "rs", "pl", "pm", "sh", "bash",
];

/// The setting under which a key that is made up stands among the beliefs.
pub(crate) const MADE_UP: &str = "made-up-key";

/// `audience: "…"`, `ValidIssuer = "…"`, `.withAudience("…")`, `accepted_issuers=["…", "…"]`.
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let list = r#"((?:["'`][^"'`\n]{1,200}["'`]\s*,?\s*)+)"#;
    Regex::new(&format!(
        r#"([A-Za-z_]\w{{2,40}})["']?\s*(?::|=>|=|\()\s*(?:\[|\{{|new\s*\[?\]?\s*\{{|\w+\()?\s*{list}"#
    ))
    .ok()
});

static LITERAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"["'`]([^"'`\n]{1,200})["'`]"#).ok());

/// What signs tokens, or asks for them, has settings of the same names.
static NO_VERIFIER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)jwt\.sign\(|jwt\.encode\(|SignJWT|Jwts\.builder|JWT\.create\(|NewWithClaims|SecurityTokenDescriptor",
        r"|createAuth0Client|Auth0Provider|UserManager\(|loginWithRedirect|signinRedirect|MsalProvider|PublicClientApplication"
    ))
    .ok()
});

/// A key or secret to which something random is given.
static RANDOM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?:secret|signing|jwt|token|key)\w*\W{0,8}[:=(].{0,90}?",
        r"(openssl rand|/dev/u?random|uuidgen|get_random_secret_key\(|secrets\.token_\w+\(|os\.urandom\(|randomBytes\(",
        r"|randomUUID\(|SecureRandom|Keys\.secretKeyFor\(|random_bytes\(|RandomNumberGenerator|generateKeyPair",
        r"|generate_private_key\(|rsa\.GenerateKey\(|ecdsa\.GenerateKey\(|RSA\.Create\(|:crypto\.strong_rand_bytes|randAlphaNum|uuid4\(|uuidv4\()"
    ))
    .ok()
});

/// Commands that write a new key or secret, whatever was there.
static COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(artisan (?:jwt:secret|key:generate|passport:keys)|openssl (?:genrsa|genpkey)|openssl ecparam .{0,40}-genkey",
        r"|mix phx\.gen\.secret|rails secret|lexik:jwt:generate-keypair|generate:jwt-secret|ssh-keygen .{0,30}-m pem)"
    ))
    .ok()
});

/// Whether a file of this name or beginning is a program.
pub(super) fn is(name: &str, text: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let ending = base.rsplit('.').next().unwrap_or_default();
    let started = ["entrypoint", "Dockerfile", "Containerfile", "Procfile"];
    base.contains('.') && ENDINGS.contains(&ending)
        || ending == "service"
        || text.starts_with("#!")
        || started.iter().any(|part| base.contains(part))
}

/// Keys that are made up by the commands of a file that is no program: a start command of Compose, Kubernetes or systemd.
pub(super) fn made_up_in(name: &str, text: &str) -> Vec<Belief> {
    let kept = is_kept(text);
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim_start().starts_with('#'));
    lines
        .filter_map(|(number, line)| made_up(name, number, line, kept))
        .collect()
}

/// Whether a script makes a key only where there is none yet.
fn is_kept(text: &str) -> bool {
    let guards = [
        "[ -",
        "[ ! -",
        "test -",
        "test ! -",
        "[[ ",
        "skip-if-exists",
    ];
    guards.iter().any(|guard| text.contains(guard))
}

pub(super) fn read(name: &str, text: &str) -> Vec<Belief> {
    let place = Place {
        held_by: Holder::Verifier,
        ..Place::file(name)
    };
    let own = names::holder(name);
    let verifies = own != Holder::Client
        && own != Holder::Issuer
        && !NO_VERIFIER
            .as_ref()
            .is_some_and(|words| words.is_match(text));
    let kept = is_kept(text);
    let lines = (1..).zip(text.lines());
    let code = lines.filter(|(_, line)| {
        let line = line.trim_start();
        !(line.starts_with("//") || line.starts_with('*') || line.starts_with("# "))
    });
    code.flat_map(|(number, line)| {
        let settings = if verifies {
            settings(&place, number, line)
        } else {
            Vec::new()
        };
        settings
            .into_iter()
            .chain(made_up(name, number, line, kept))
    })
    .collect()
}

fn settings(place: &Place<'_>, number: u64, line: &str) -> Vec<Belief> {
    let (Some(setting), Some(literal)) = (SETTING.as_ref(), LITERAL.as_ref()) else {
        return Vec::new();
    };
    let found = setting.captures_iter(line).filter_map(|found| {
        let (key, list) = (found.get(1)?.as_str(), found.get(2)?.as_str());
        // Alone they would mean too much in a file of settings.
        let path: &[&str] = match key {
            "algorithms" | "algorithm" => &["jwt", key],
            _ => &[key],
        };
        let values = literal.captures_iter(list).filter_map(|one| one.get(1));
        let beliefs: Vec<_> = values
            .filter_map(|value| place.belief(path, number, value.as_str()))
            .filter(|belief| {
                matches!(
                    belief.about,
                    Subject::Issuer | Subject::Audience | Subject::Algorithm | Subject::JwksUri
                )
            })
            .collect();
        Some(beliefs)
    });
    found.flatten().collect()
}

fn made_up(name: &str, number: u64, line: &str, kept: bool) -> Option<Belief> {
    let found = |words: &Option<Regex>| Some(words.as_ref()?.captures(line)?.get(1)?.as_str());
    let how = found(&RANDOM).or_else(|| found(&COMMAND).filter(|_| !kept))?;
    Some(Belief {
        about: Subject::Setting,
        value: how.trim_end_matches('(').to_owned(),
        name: MADE_UP.to_owned(),
        source: Source::File(name.to_owned(), Some(number)),
        held_by: Holder::Unknown,
        effective: Effective::Restart,
        within: None,
        forms: BTreeMap::new(),
        note: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, text: &str) -> Vec<(Subject, String)> {
        let read = read(name, text).into_iter();
        read.map(|belief| (belief.about, belief.value)).collect()
    }

    #[test]
    fn literals_of_a_verifiers_settings_are_read() {
        let table = [
            (
                "app.js",
                r#"app.use(jwt({ secret, audience: "orders" }));"#,
                (Subject::Audience, "orders"),
            ),
            (
                "main.py",
                r#"    accepted_issuers=["https://id.example"],"#,
                (Subject::Issuer, "https://id.example"),
            ),
            (
                "Security.java",
                r#"JWT.require(alg).withIssuer("https://id.example").build();"#,
                (Subject::Issuer, "https://id.example"),
            ),
            (
                "Program.cs",
                r#"ValidAudience = "orders","#,
                (Subject::Audience, "orders"),
            ),
            (
                "app.rb",
                r#"JWT.decode(token, key, true, algorithm: "RS256")"#,
                (Subject::Algorithm, "RS256"),
            ),
        ];
        for (name, text, (about, value)) in table {
            assert_eq!(said(name, text), [(about, value.to_owned())], "{name}");
        }
    }

    #[test]
    fn what_signs_tokens_or_asks_for_them_says_nothing_of_the_verifier() {
        for text in [
            r#"jwt.sign(claims, secret, { audience: "orders" })"#,
            r#"createAuth0Client({ audience: "orders" })"#,
            r#"// audience: "orders""#,
        ] {
            assert_eq!(said("app.js", text), [], "{text}");
        }
    }

    #[test]
    fn a_key_that_is_made_up_at_the_start_is_seen() {
        for (name, text) in [
            (
                "start.sh",
                r#"export AUTH_SECRET="$(openssl rand -base64 33)""#,
            ),
            ("settings.py", "SECRET_KEY = env or get_random_secret_key()"),
            ("app.js", "const signingKey = crypto.randomBytes(32);"),
        ] {
            let read = read(name, text);
            let names: Vec<_> = read.iter().map(|belief| belief.name.as_str()).collect();
            assert_eq!(names, [MADE_UP], "{text}");
        }
        assert_eq!(said("app.js", "const id = crypto.randomUUID();"), []);
    }

    #[test]
    fn a_start_script_without_an_ending_makes_up_a_key_too() {
        let script = "#!/bin/sh -e\nexport SECRET_KEY_BASE=\"$(openssl rand -hex 64)\"\nexec app\n";
        assert!(is("bin/start", script) && !is("bin/start", "app"));
        assert_eq!(read("bin/start", script).len(), 1);
        let command = "#!/bin/sh\nphp artisan jwt:secret --force\n";
        assert_eq!(read("docker/entrypoint.sh", command).len(), 1);
        let kept = "#!/bin/sh\nif [ ! -f key.pem ]; then openssl genrsa -out key.pem; fi\n";
        assert_eq!(read("docker/entrypoint.sh", kept), []);
        let compose = "    command: sh -c 'JWT_SECRET=$(openssl rand -hex 32) exec api'\n";
        assert_eq!(made_up_in("compose.yml", compose).len(), 1);
    }
}
