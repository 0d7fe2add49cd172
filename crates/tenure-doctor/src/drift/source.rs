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

/// Whether a file of this name is a program.
pub(super) fn is(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let ending = base.rsplit('.').next().unwrap_or_default();
    base.contains('.') && ENDINGS.contains(&ending)
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
        settings.into_iter().chain(made_up(name, number, line))
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

fn made_up(name: &str, number: u64, line: &str) -> Option<Belief> {
    let how = RANDOM.as_ref()?.captures(line)?.get(1)?.as_str();
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
}
