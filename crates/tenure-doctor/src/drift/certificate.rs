//! Conditions of proxies that refuse who shows no client certificate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::{Belief, Effective, Holder, Subject};
use crate::{Source, redact};

/// The name of the setting.
pub(crate) const ASKS_FOR_CERTIFICATE: &str = "asks for a client certificate";

/// nginx, HAProxy, Apache.
const CONDITIONS: [&str; 3] = [
    r#"\bif\s*\(\s*\$ssl_client_verify\s*!=\s*["']?success["']?\s*\)\s*\{\s*return\s+403\b[^}]*\}"#,
    r"\bhttp-request\s+deny\b[^\n]*(\bunless\s+\{\s*ssl_c_(used|verify\s+0)\s*\}|\bif\s+!\{\s*ssl_c_used\s*\})",
    r#"\brequire\s+expr\s+"?%\{ssl_client_verify\}\s*(==?|eq|-eq)\s*['"]success['"]"?"#,
];

/// What else makes them answer 403.
const OTHERS: &str = r"\breturn\s+403\b|\bdeny\s+(all|\d|[0-9a-f:]+/)|\bhttp-request\s+deny\b|\brequire\b|\bauth_request\b|\bmodsecurity\b|\binternal\s*;";

static TABLES: LazyLock<Option<[Regex; 2]>> = LazyLock::new(|| {
    let build = |text: &str| RegexBuilder::new(text).case_insensitive(true).build().ok();
    Some([build(&CONDITIONS.join("|"))?, build(OTHERS)?])
});

/// The condition of a file, where nothing else in it forbids anything.
pub(super) fn read(name: &str, text: &str) -> Option<Belief> {
    let [condition, others] = TABLES.as_ref()?;
    let text: Vec<_> = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .collect();
    let text = text.join("\n");
    let found = condition.find(&text)?;
    let rest = [text.get(..found.start())?, text.get(found.end()..)?];
    if rest.iter().any(|part| others.is_match(part)) {
        return None;
    }
    let line = rest.first()?.matches('\n').count() as u64 + 1;
    let words: Vec<_> = found.as_str().split_whitespace().collect();
    Some(Belief {
        about: Subject::Setting,
        value: redact::text(&words.join(" ")),
        name: ASKS_FOR_CERTIFICATE.to_owned(),
        source: Source::File(name.to_owned(), Some(line)),
        held_by: Holder::Unknown,
        effective: Effective::Restart,
        within: None,
        forms: BTreeMap::new(),
        note: None,
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_one_condition_of_a_file_is_known_in_three_languages() {
        for text in [
            "server {\n  if ($ssl_client_verify != SUCCESS) {\n    return 403;\n  }\n}",
            "frontend f\n  http-request deny deny_status 403 unless { ssl_c_used }",
            "<Location />\n  Require expr \"%{SSL_CLIENT_VERIFY} == 'SUCCESS'\"\n</Location>",
        ] {
            assert!(read("x.conf", text).is_some(), "{text}");
        }
    }

    #[test]
    fn beside_another_reason_for_403_it_tells_nothing() {
        for text in [
            "if ($ssl_client_verify != SUCCESS) { return 403; }\nlocation /a { deny all; }",
            "# if ($ssl_client_verify != SUCCESS) { return 403; }",
            "if ($ssl_client_verify = SUCCESS) { return 403; }",
        ] {
            assert!(read("x.conf", text).is_none(), "{text}");
        }
    }
}
