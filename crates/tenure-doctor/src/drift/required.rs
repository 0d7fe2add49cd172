//! Which claim a service asks for, and which library in which version it is built with, as its files tell.

use std::sync::LazyLock;

use regex::Regex;

use super::{Belief, Effective, Holder, Subject};
use crate::{Source, redact};

/// The name of a setting whose value is `PATH OF CLAIM=VALUE`.
pub(crate) const CLAIM: &str = "required-claim";

/// Endings of files with code.
const CODE: [&str; 14] = [
    "cjs", "cs", "go", "java", "js", "jsx", "kt", "mjs", "php", "py", "rb", "rs", "ts", "tsx",
];

pub(super) fn is_code(ending: &str) -> bool {
    CODE.contains(&ending)
}

/// `requirements.txt` and its relatives.
pub(super) fn is_pinned(file: &str) -> bool {
    let stem = file.strip_suffix(".txt").unwrap_or_default();
    stem.contains("requirements") || stem.contains("constraints")
}

/// A claim and a value that is looked for in it: Ruby, JavaScript and Python, .NET, Apache.
fn patterns() -> Option<&'static [Regex; 4]> {
    static PATTERNS: LazyLock<Option<[Regex; 4]>> = LazyLock::new(|| {
        let word = r"[\w:./-]+";
        let compiled = [
            format!(
                r#"(?P<claim>(?:\[["':]{word}["']?\])+)\)*\??\.(?:include\?|includes|contains|has)\(?\s*["'](?P<value>{word})["']"#
            ),
            format!(
                r#"["'](?P<value>{word})["'] (?:not )?in \w+(?P<claim>(?:\[["']{word}["']\]|\.get\(["']{word}["'](?:, *[\[\]{{}}]*)?\))+)"#
            ),
            format!(r#"RequireClaim\("(?P<claim>{word})", *"(?P<value>{word})"\)"#),
            format!(
                r#"(?i)^\s*Require\s+claim\s+"?(?P<claim>{word}?)(?::|~[^"]*?)(?P<value>[\w:./-]*\w)"#
            ),
        ];
        let compiled: Result<Vec<_>, _> = compiled.iter().map(|it| Regex::new(it)).collect();
        compiled.ok()?.try_into().ok()
    });
    PATTERNS.as_ref()
}

/// Claims that a file asks for.
pub(super) fn claims(name: &str, text: &str) -> Vec<Belief> {
    let Some(patterns) = patterns() else {
        return Vec::new();
    };
    let lines = (1..).zip(text.lines());
    let found = lines.filter_map(|(number, line)| {
        let found = patterns.iter().find_map(|pattern| pattern.captures(line))?;
        let path = found.name("claim")?.as_str();
        let separators = |c: char| "[]'\"(){}, ".contains(c);
        let parts = path
            .split(separators)
            .map(|part| part.trim_start_matches(':'));
        let parts: Vec<_> = parts
            .filter(|part| !part.is_empty() && *part != ".get")
            .collect();
        let (claim, value) = (parts.join("."), found.name("value")?.as_str());
        let about = match claim.as_str() {
            "aud" => Subject::Audience,
            "iss" => Subject::Issuer,
            "client_id" | "azp" => Subject::ClientId,
            _ => return Some(setting(name, number, CLAIM, &format!("{claim}={value}"))),
        };
        Some(Belief {
            about,
            ..setting(name, number, &claim, value)
        })
    });
    found.collect()
}

/// `NAME==VERSION`, one a line.
pub(super) fn pinned(name: &str, text: &str) -> Vec<Belief> {
    let lines = (1..).zip(text.lines());
    let found = lines.filter_map(|(number, line)| {
        let (library, version) = line.split_once("==")?;
        let library = library.split('[').next()?.trim();
        let version = version.split([';', ' ', '#']).next()?.trim();
        Some(setting(name, number, library, version))
    });
    found.collect()
}

fn setting(file: &str, line: u64, name: &str, value: &str) -> Belief {
    Belief {
        about: Subject::Setting,
        value: redact::id(value),
        name: name.to_owned(),
        source: Source::File(file.to_owned(), Some(line)),
        held_by: Holder::Verifier,
        effective: Effective::Restart,
        within: None,
        forms: std::collections::BTreeMap::new(),
        note: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<String> {
        let found = claims("api", line);
        found.first().map(|belief| belief.value.clone())
    }

    #[test]
    fn code_and_apache_name_the_claim_that_they_read() {
        for line in [
            "    Array(claims[\"roles\"]).include?(\"admin\")",
            "if (!req.auth['roles'].includes('admin')) return res.sendStatus(403)",
            "if \"admin\" not in claims.get(\"roles\", []):",
            "policy.RequireClaim(\"roles\", \"admin\");",
            "  Require claim roles:admin",
        ] {
            assert_eq!(asked(line).as_deref(), Some("roles=admin"), "{line}");
        }
        let nested = "return 'admin' in token['realm_access']['roles']";
        assert_eq!(asked(nested).as_deref(), Some("realm_access.roles=admin"));
        let nested = "'admin' in claims.get('realm_access', {}).get('roles', [])";
        assert_eq!(asked(nested).as_deref(), Some("realm_access.roles=admin"));
        let scope = "      Require claim \"scope~(^| )orders:write( |$)\"";
        assert_eq!(asked(scope).as_deref(), Some("scope=orders:write"));
        assert_eq!(asked("Require valid-user"), None);
    }

    #[test]
    fn a_required_audience_is_one_and_no_role() {
        let found = claims("apache2.conf", "  Require claim aud:https://api.example/v1");
        let found: Vec<_> = found.iter().map(|it| (it.about, &*it.value)).collect();
        assert_eq!(found, [(Subject::Audience, "https://api.example/v1")]);
    }

    #[test]
    fn a_pinned_library_has_a_version() {
        let found = pinned(
            "requirements.txt",
            "fastapi[all]==0.115.6 ; python_version > '3'\n# x\n",
        );
        let found: Vec<_> = found.iter().map(|it| (&*it.name, &*it.value)).collect();
        assert_eq!(found, [("fastapi", "0.115.6")]);
    }
}
