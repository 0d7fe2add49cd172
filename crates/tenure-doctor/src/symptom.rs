//! Whether anybody is turned away at all, whatever the cause.
//!
//! What is as it should be is none: 401 for a request without a token, a refusal that the same user
//! got over, an altered or garbage token that is refused.

use crate::deployment::CheckResult;
use crate::exchange::{Answer, Exchange};
use crate::logs::{LogFinding, Pattern};
use crate::probe::Probe;
use crate::sign::{Sign, accepted, answers, client_answers, contains, keys, refused, token};
use crate::{Clue, Evidence, Source};

/// What went wrong for users, whatever the cause.
pub(crate) fn all(evidence: &Evidence) -> Vec<Clue> {
    let looks: [fn(&Evidence) -> Vec<Clue>; 11] = [
        unanswered,
        turned_away,
        login_page,
        redirects,
        crate::cause::edge::signs::browsed::LOGIN_BROWSED.find,
        browsers,
        nothing_checked,
        refreshes,
        logs,
        slowed_down,
        deployment,
    ];
    let mut clues: Vec<_> = looks.iter().flat_map(|look| look(evidence)).collect();
    if evidence
        .answer(Probe::Client)
        .is_none_or(|answer| !accepted(answer))
    {
        clues.extend(unfit(evidence));
    }
    clues
}

fn clue(says: String, source: Source) -> Clue {
    Clue {
        says,
        source,
        at: None,
    }
}

/// The client's own request to which nothing came back.
fn unanswered(evidence: &Evidence) -> Vec<Clue> {
    let own = evidence.exchanges.iter().filter(|exchange| {
        matches!(
            exchange.probe,
            Probe::Client | Probe::Again(_) | Probe::Address(_)
        )
    });
    own.filter_map(|exchange| {
        let failure = exchange.result.as_ref().err()?;
        Some(Clue {
            at: Some(exchange.at),
            ..clue(
                format!("the client's request got no answer: {failure}"),
                Source::Probe(exchange.probe),
            )
        })
    })
    .collect()
}

/// The client's own request is answered with an error, though it carries credentials.
fn turned_away(evidence: &Evidence) -> Vec<Clue> {
    let away = client_answers(evidence).filter(|(exchange, answer)| {
        answer.status >= 400 && !asks_for_credentials(exchange, answer)
    });
    away.map(|(exchange, answer)| {
        clue(
            format!("the client's request is answered {}", answer.status),
            Source::Probe(exchange.probe),
        )
    })
    .collect()
}

/// 401 for a request that carries none (RFC 9110, section 15.5.2).
fn asks_for_credentials(exchange: &Exchange, answer: &Answer) -> bool {
    const CARRIERS: [&str; 4] = [
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-api-key",
    ];
    let carries = |(name, _): &(String, String)| CARRIERS.contains(&name.as_str());
    answer.status == 401 && !exchange.request.headers.iter().any(carries)
}

/// Success in name only: a page that asks for a password, or an error in the words of GraphQL.
fn login_page(evidence: &Evidence) -> Vec<Clue> {
    let Some(answer) = evidence.answer(Probe::Client).filter(|it| accepted(it)) else {
        return Vec::new();
    };
    let html = answer
        .header("content-type")
        .is_some_and(|kind| contains(kind, "text/html"));
    let words: &[&str] = if html {
        &["type=\"password\"", "type='password'", "type=password"]
    } else {
        &["\"UNAUTHENTICATED\"", "\"FORBIDDEN\""]
    };
    let Some(word) = words.iter().find(|word| contains(&answer.body, word)) else {
        return Vec::new();
    };
    let says = format!("{} with `{word}` in its body is no success", answer.status);
    vec![clue(says, Source::Probe(Probe::Client))]
}

/// The redirects of the client's request end at a refusal, or do not end.
fn redirects(evidence: &Evidence) -> Vec<Clue> {
    let redirected = evidence
        .answer(Probe::Client)
        .is_some_and(|answer| (300..400).contains(&answer.status));
    let hops = answers(evidence).filter(|(probe, _)| matches!(probe, Probe::Hop(_)));
    let Some((probe, last)) = hops.last().filter(|_| redirected) else {
        return to_login(evidence);
    };
    if accepted(last) {
        return to_login(evidence);
    }
    let says = format!(
        "the redirects of the client's request end with {}",
        last.status
    );
    vec![clue(says, Source::Probe(probe))]
}

/// An API's client is sent to a page for people.
fn to_login(evidence: &Evidence) -> Vec<Clue> {
    const PAGES: [&str; 6] = [
        "login",
        "signin",
        "sign-in",
        "sign_in",
        "authorize",
        "oauth2/start",
    ];
    let location = evidence
        .answer(Probe::Client)
        .filter(|answer| (300..400).contains(&answer.status))
        .and_then(|answer| answer.header("location"));
    let Some(location) = location.filter(|to| PAGES.iter().any(|page| contains(to, page))) else {
        return Vec::new();
    };
    let path = location.split(['?', '#']).next().unwrap_or_default();
    let says = format!("the client's request is sent to sign in: `{path}`");
    vec![clue(says, Source::Probe(Probe::Client))]
}

/// What a page's script gets to see (Fetch standard, CORS protocol).
fn browsers(evidence: &Evidence) -> Vec<Clue> {
    let mut clues = Vec::new();
    if let Some(answer) = evidence.answer(Probe::Preflight) {
        let allows = |field: &str, wanted: &str| {
            answer
                .header(field)
                .is_some_and(|value| contains(value, wanted) || value.trim() == "*")
        };
        if !accepted(answer)
            || !allows("access-control-allow-origin", "://")
            || !allows("access-control-allow-headers", "authorization")
        {
            let says = format!(
                "the preflight, answered {}, does not allow the request",
                answer.status
            );
            clues.push(clue(says, Source::Probe(Probe::Preflight)));
        }
    }
    if let Some(answer) = evidence.answer(Probe::Origin)
        && answer.header("access-control-allow-origin").is_none()
    {
        let says = format!(
            "a page's script may not read the answer ({})",
            answer.status
        );
        clues.push(clue(says, Source::Probe(Probe::Origin)));
    }
    let readable = |answer: &Answer| answer.header("access-control-allow-origin").is_some();
    let success = evidence.answer(Probe::Origin);
    let bare = evidence.answer(Probe::BareOrigin);
    if success.is_some_and(|it| accepted(it) && readable(it))
        && let Some(refusal) = bare.filter(|it| refused(it) && !readable(it))
    {
        let says = format!(
            "a page's script may read a success, and not a refusal ({})",
            refusal.status
        );
        clues.push(clue(says, Source::Probe(Probe::BareOrigin)));
    }
    clues
}

/// Somebody gets in who must not.
fn nothing_checked(evidence: &Evidence) -> Vec<Clue> {
    let refuses = |probe| evidence.answer(probe).is_some_and(refused);
    let admits = |probe: &Probe| evidence.answer(*probe).is_some_and(accepted);
    let mut clues = Vec::new();
    if refuses(Probe::Bare) {
        let forged = [
            Probe::Altered,
            Probe::Garbage,
            Probe::Undefined,
            Probe::Null,
        ];
        clues.extend(forged.into_iter().filter(admits).map(|probe| {
            let says = "refused without a token, accepted with a forged one".to_owned();
            clue(says, Source::Probe(probe))
        }));
    }
    if refuses(Probe::BareFresh) && admits(&Probe::Bare) {
        let says = "accepted without a token, unless no cache can know the answer".to_owned();
        clues.push(clue(says, Source::Probe(Probe::Bare)));
    }
    clues
}

/// Refreshes that fail, and tokens that their issuer calls dead.
fn refreshes(evidence: &Evidence) -> Vec<Clue> {
    let mut clues = Vec::new();
    for exchange in &evidence.exchanges {
        let is_refresh = matches!(exchange.probe, Probe::Refresh | Probe::RefreshAgain(_));
        let says = match &exchange.result {
            Ok(answer) if is_refresh && answer.status >= 400 => {
                format!("a refresh is answered {}", answer.status)
            }
            Err(failure) if is_refresh => format!("a refresh got no answer: {failure}"),
            Ok(answer) if is_dead(evidence, exchange.probe, answer) => {
                "the issuer says that the token is not active".to_owned()
            }
            _ => continue,
        };
        clues.push(clue(says, Source::Probe(exchange.probe)));
    }
    clues
}

/// RFC 7662, section 2.2; OpenID Connect Core, section 5.3.3. Of an expired token it is no news.
fn is_dead(evidence: &Evidence, probe: Probe, answer: &Answer) -> bool {
    let expired = !(token::EXPIRED.find)(evidence).is_empty();
    let said = match probe {
        Probe::Introspection => {
            let body: String = answer.body.split_whitespace().collect();
            accepted(answer) && contains(&body, "\"active\":false")
        }
        Probe::Userinfo => {
            let openid = token::claims(evidence)
                .is_some_and(|claims| claims.scope.iter().any(|scope| scope == "openid"));
            answer.status == 401 && (openid || contains(&answer.body, "revoked"))
        }
        _ => false,
    };
    said && !expired
}

/// Patterns of trouble; refusals that nobody got over.
fn logs(evidence: &Evidence) -> Vec<Clue> {
    let findings = &evidence.logs.findings;
    let figure = |finding: &LogFinding, name: &str| -> u64 {
        let value = finding.figures.get(name);
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    let all_recovered = findings.iter().any(|finding| {
        finding.pattern == Pattern::Refusals
            && figure(finding, "recovered_answers") >= finding.count
    });
    let counts = |finding: &&LogFinding| match finding.pattern {
        Pattern::Refusals | Pattern::Text => !all_recovered,
        _ => true,
    };
    findings
        .iter()
        .filter(counts)
        .map(|finding| Clue {
            at: finding
                .first_ms
                .map(|ms| tenure_core::time::Timestamp(ms / 1_000)),
            ..clue(finding.says.clone(), finding.source.clone())
        })
        .collect()
}

/// Answers 429 in logs (RFC 6585, section 4).
fn slowed_down(evidence: &Evidence) -> Vec<Clue> {
    let files = evidence.logs.files.iter();
    let counts = files.filter_map(|file| Some((file, file.statuses.get(&429)?)));
    counts
        .map(|(file, count)| {
            let says = format!("{count} answers 429");
            clue(says, Source::Log(file.name.clone(), 1))
        })
        .collect()
}

fn deployment(evidence: &Evidence) -> Vec<Clue> {
    let bad = evidence
        .deployment
        .iter()
        .filter(|check| check.result == CheckResult::Bad);
    bad.map(|check| clue(check.says.clone(), check.source.clone()))
        .collect()
}

/// What no verifier accepts, where no answer says otherwise.
fn unfit(evidence: &Evidence) -> Vec<Clue> {
    let signs: [&Sign; 6] = [
        &token::EXPIRED,
        &token::EARLY,
        &token::NO_TOKEN,
        &token::BROKEN,
        &token::BLEMISHED,
        &keys::NO_KEY_VERIFIES,
    ];
    let mut clues: Vec<_> = signs
        .iter()
        .flat_map(|sign| (sign.find)(evidence))
        .collect();
    clues.extend(crate::sign::drift::clues(&evidence.beliefs, |_| true));
    clues
}
