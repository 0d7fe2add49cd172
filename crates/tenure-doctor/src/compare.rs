//! Whether two answers are the same answer.

use crate::exchange::Answer;

/// Header fields by which a layer that answers is known; all others may differ between two requests.
const TELLING: [&str; 7] = [
    "access-control-allow-origin",
    "content-type",
    "location",
    "server",
    "www-authenticate",
    "x-amzn-errortype",
    "x-cache",
];

/// True where status, telling header fields and body are equal but for what changes with each request:
/// ids, times, numbers, fingerprints.
pub fn same(one: &Answer, other: &Answer) -> bool {
    one.status == other.status
        && steady(&one.body) == steady(&other.body)
        && TELLING.iter().all(|name| {
            let field = |answer: &Answer| answer.header(name).map(steady);
            field(one) == field(other)
        })
}

/// The text without words that hold a digit: ids, times and fingerprints do, sentences hardly.
fn steady(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if end.bytes().any(|byte| byte.is_ascii_digit()) {
            kept.push('#');
            kept.push_str(word.get(end.len()..).unwrap_or_default());
        } else {
            kept.push_str(word);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, headers: &[(&str, &str)]) -> Answer {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Answer {
            status,
            headers: headers.iter().map(own).collect(),
            body: body.to_owned(),
            body_bytes: body.len() as u64,
        }
    }

    #[test]
    fn ids_and_dates_do_not_make_two_answers_different() {
        let one = answer(401, "no (id 0ad3f1, 17:00:01)", &[("date", "a")]);
        let other = answer(401, "no (id 77b2e9, 17:00:02)", &[("date", "b")]);
        assert!(same(&one, &other));
    }

    #[test]
    fn another_reason_makes_another_answer() {
        let expired = answer(401, "", &[("www-authenticate", "Bearer error=\"expired\"")]);
        let missing = answer(401, "", &[("www-authenticate", "Bearer")]);
        assert!(!same(&expired, &missing));
        assert!(!same(&answer(401, "a", &[]), &answer(401, "b", &[])));
        assert!(!same(&answer(401, "a", &[]), &answer(403, "a", &[])));
    }
}
