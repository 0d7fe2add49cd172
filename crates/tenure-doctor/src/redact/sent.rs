//! What the client sends, and what comes back of it: credentials by their place, whatever they look like.

use super::{credentials, is_nothing, is_scheme, shown};

/// Fields that say nothing about who asks. Any other may be the one that carries a credential.
const OPEN: [&str; 26] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "host",
    "origin",
    "pragma",
    "priority",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "user-agent",
    "via",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-tenure-padding",
];

/// Shorter, and it stands in other words by chance.
const LEAST: usize = 6;

/// The value of a field of a request.
pub(super) fn header(name: &str, value: &str) -> String {
    let told = super::header(name, value);
    if told == value && !is_open(name) {
        credentials(value)
    } else {
        told
    }
}

/// A text of the answer without what the request carried, which an echo or an error page shows again.
pub(super) fn hidden(text: &str, sent: &[(String, String)]) -> String {
    let fields = sent.iter().filter(|(name, _)| !is_open(name));
    let secrets = fields.flat_map(|(_, value)| {
        let blank = |c: char| c.is_whitespace() || c == ';';
        value.split(blank).map(bare)
    });
    secrets
        .filter(|secret| secret.len() >= LEAST && !is_scheme(secret) && !is_nothing(secret))
        .fold(text.to_owned(), |text, secret| {
            text.replace(secret, &shown(secret))
        })
}

fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\'', ','])
}

fn is_open(name: &str) -> bool {
    OPEN.iter().any(|open| name.eq_ignore_ascii_case(open))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fingerprint;

    #[test]
    fn a_credential_in_a_field_of_any_name_is_hidden_also_where_it_comes_back() {
        let sent = [
            ("x-pin".to_owned(), "hunter2".to_owned()),
            ("authorization".to_owned(), "Bearer opaque-1".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        let pin = Fingerprint::of("hunter2").to_string();
        assert_eq!(header("x-pin", "hunter2"), pin);
        assert_eq!(header("accept", "application/json"), "application/json");
        let token = Fingerprint::of("opaque-1");
        assert_eq!(
            hidden(
                r#"{"at":"hunter2","t":"Bearer opaque-1","a":"application/json"}"#,
                &sent
            ),
            format!(r#"{{"at":"{pin}","t":"Bearer {token}","a":"application/json"}}"#)
        );
    }

    #[test]
    fn what_stands_for_nothing_is_a_finding_and_stays() {
        let sent = [("authorization".to_owned(), "Bearer undefined".to_owned())];
        assert_eq!(
            header("authorization", "Bearer undefined"),
            "Bearer undefined"
        );
        assert_eq!(
            hidden("undefined is no token", &sent),
            "undefined is no token"
        );
    }
}
