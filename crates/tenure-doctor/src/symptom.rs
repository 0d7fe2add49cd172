//! Whether anybody is turned away at all, whatever the cause.
//!
//! What is as it should be is none: 401 for a request without a token, a refusal that the same user
//! got over, an altered or garbage token that is refused.

use crate::deployment::CheckResult;
use crate::exchange::{Answer, Exchange};
use crate::logs::{Browsed, LogFile, LogFinding, Pattern};
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::{
    Sign, accepted, answers, client_answers, contains, each, found, keys, refused, together, token,
};
use crate::{Clue, Evidence, Source};

/// What went wrong for users, whatever the cause.
pub(crate) fn all(evidence: &Evidence) -> Vec<Clue> {
    let looks: [fn(&Evidence) -> Vec<Clue>; 12] = [
        unanswered,
        turned_away,
        login_page,
        redirects,
        crate::cause::edge::signs::browsed::LOGIN_BROWSED.find,
        browsers,
        nothing_checked,
        refreshes,
        logs,
        other_statuses,
        browsed,
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

/// The client's own request to which nothing came back.
fn unanswered(evidence: &Evidence) -> Vec<Clue> {
    let own = evidence.exchanges.iter();
    let own = own.filter(|exchange| exchange.probe.is_own());
    own.filter_map(|exchange| {
        let failure = exchange.result.as_ref().err()?;
        Some(Clue {
            at: Some(exchange.at),
            ..Clue::new(
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
        (answer.status >= 400 || refused(answer)) && !asks_for_credentials(exchange, answer)
    });
    away.map(|(exchange, answer)| {
        Clue::new(
            if answer.refuses_in_body() {
                format!(
                    "the client's request is answered {} with a refusal in its body",
                    answer.status
                )
            } else {
                format!("the client's request is answered {}", answer.status)
            },
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
    together(evidence, [Probe::Client], |[answer]| {
        if !accepted(answer) {
            return None;
        }
        let words: &[&str] = if mentions(answer.header("content-type"), "text/html") {
            &["type=\"password\"", "type='password'", "type=password"]
        } else {
            &["\"UNAUTHENTICATED\"", "\"FORBIDDEN\""]
        };
        let word = words.iter().find(|word| contains(&answer.body, word))?;
        let status = answer.status;
        Some(format!("{status} with `{word}` in its body is no success"))
    })
}

/// The redirects of the client's request end at a refusal, or do not end; else, at a page for people.
fn redirects(evidence: &Evidence) -> Vec<Clue> {
    let first = evidence.answer(Probe::Client);
    let Some(first) = first.filter(|answer| (300..400).contains(&answer.status)) else {
        return Vec::new();
    };
    let hops = answers(evidence).filter(|(probe, _)| matches!(probe, Probe::Hop(_)));
    found(match hops.last() {
        Some((probe, last)) if !accepted(last) => {
            let status = last.status;
            let says = format!("the redirects of the client's request end with {status}");
            Some((probe, says))
        }
        _ => to_login(first).map(|says| (Probe::Client, says)),
    })
}

/// An API's client is sent to a page for people.
fn to_login(answer: &Answer) -> Option<String> {
    const PAGES: [&str; 6] = [
        "login",
        "signin",
        "sign-in",
        "sign_in",
        "authorize",
        "oauth2/start",
    ];
    let location = answer.header("location")?;
    let path = location.split(['?', '#']).next().unwrap_or_default();
    PAGES
        .iter()
        .any(|page| contains(location, page))
        .then(|| format!("the client's request is sent to sign in: `{path}`"))
}

/// What a page's script gets to see (Fetch standard, CORS protocol).
fn browsers(evidence: &Evidence) -> Vec<Clue> {
    let readable = |answer: &Answer| answer.header("access-control-allow-origin").is_some();
    let preflight = together(evidence, [Probe::Preflight], |[answer]| {
        let allows = |field: &str, wanted: &str| {
            answer
                .header(field)
                .is_some_and(|value| contains(value, wanted) || value.trim() == "*")
        };
        let allowed = accepted(answer)
            && allows("access-control-allow-origin", "://")
            && allows("access-control-allow-headers", "authorization");
        let status = answer.status;
        (!allowed).then(|| format!("the preflight, answered {status}, does not allow the request"))
    });
    let answer = together(evidence, [Probe::Origin], |[answer]| {
        let status = answer.status;
        (!readable(answer)).then(|| format!("a page's script may not read the answer ({status})"))
    });
    let refusal = together(
        evidence,
        [Probe::Origin, Probe::BareOrigin],
        |[well, bare]| {
            let differs = accepted(well) && readable(well) && refused(bare) && !readable(bare);
            let status = bare.status;
            differs.then(|| {
                format!("a page's script may read a success, and not a refusal ({status})")
            })
        },
    );
    [preflight, answer, refusal].concat()
}

/// Somebody gets in who must not.
fn nothing_checked(evidence: &Evidence) -> Vec<Clue> {
    let admitted = |refused_one, admitted_one, says: &str| {
        together(evidence, [refused_one, admitted_one], |[without, with]| {
            (refused(without) && accepted(with)).then(|| says.to_owned())
        })
    };
    let forged = [
        Probe::Altered,
        Probe::Garbage,
        Probe::Undefined,
        Probe::Null,
    ];
    let forged = forged.into_iter().flat_map(|probe| {
        let says = "refused without a token, accepted with a forged one";
        admitted(Probe::Bare, probe, says)
    });
    let cached = admitted(
        Probe::BareFresh,
        Probe::Bare,
        "accepted without a token, unless no cache can know the answer",
    );
    forged.chain(cached).collect()
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
        clues.push(Clue::new(says, Source::Probe(exchange.probe)));
    }
    clues
}

/// RFC 7662, section 2.2; OpenID Connect Core, section 5.3.3. Of an expired token it is no news.
fn is_dead(evidence: &Evidence, probe: Probe, answer: &Answer) -> bool {
    let expired = token::EXPIRED.holds(evidence);
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
            && figure(finding, "again") * 4 < finding.count
    });
    // Whoever tries things is told that it is not a JWT; what refusals count is counted.
    let of_garbage = |finding: &LogFinding| {
        finding
            .text()
            .is_some_and(|text| text.starts_with("not-a-jwt"))
    };
    let counts = |finding: &&LogFinding| match finding.pattern {
        Pattern::Text if of_garbage(finding) => false,
        Pattern::Refusals | Pattern::Text => !all_recovered,
        _ => true,
    };
    findings
        .iter()
        .filter(|finding| counts(finding) && !crate::sign::logs::passed(evidence, finding))
        .map(|finding| Clue {
            at: finding
                .first_ms
                .map(|ms| tenure_core::time::Timestamp(ms / 1_000)),
            ..Clue::new(finding.says.clone(), finding.source.clone())
        })
        .collect()
}

/// Statuses by which others than a verifier turn somebody away: a proxy that asks for a password (RFC 9110,
/// section 15.5.8), Laravel's and IIS's ends of a session, limits and fields that are too large (RFC 6585), bad
/// certificates and tokens at nginx and ArcGIS, a network's login page.
const AWAY: [u16; 11] = [407, 419, 429, 431, 440, 494, 495, 496, 497, 498, 511];
/// Errors of a service or of what stands before it that are no mishap: so many at least, and a quarter of all.
const ERRORS: u64 = 3;

/// Answers in logs by which somebody is turned away, besides 401 and 403; services that answer errors.
fn other_statuses(evidence: &Evidence) -> Vec<Clue> {
    let mut clues = Vec::new();
    for file in &evidence.logs.files {
        let mut tell = |says| clues.push(Clue::new(says, Source::Log(file.name.clone(), 1)));
        let away = file
            .statuses
            .iter()
            .filter(|(status, _)| AWAY.contains(status));
        for (status, count) in away {
            tell(format!("{count} answers {status}"));
        }
        let errors: u64 = file.statuses.range(500..).map(|(_, count)| count).sum();
        let all: u64 = file.statuses.values().sum();
        if errors >= ERRORS && errors * 4 >= all {
            tell(format!(
                "{errors} of {all} answers are errors of the service or of what stands before it"
            ));
        }
    }
    clues
}

/// What a browser's recording shows to have failed, and not to have been answered well later.
fn browsed(evidence: &Evidence) -> Vec<Clue> {
    let by_itself = |url: &str| {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        ["/favicon.ico", ".map", "/robots.txt"]
            .iter()
            .any(|end| path.ends_with(end))
    };
    let failed = evidence.logs.unrecovered();
    failed
        .filter(|(one, _)| !by_itself(&one.request.url))
        .map(|(one, answer)| one.clue(format!("a browser's request is answered {}", answer.status)))
        .collect()
}

/// Whether anybody was served. Without answers of any kind, whether anything was looked at.
pub(crate) fn somebody_served(evidence: &Evidence) -> bool {
    let well = |status: u16| (200..400).contains(&status);
    let logs = &evidence.logs;
    if evidence.exchanges.is_empty() && logs.files.is_empty() {
        return evidence.looked_at_anything();
    }
    let logged = |file: &LogFile| file.statuses.keys().any(|status| well(*status));
    let seen = |one: &Browsed| {
        one.answer
            .as_ref()
            .is_some_and(|answer| well(answer.status))
    };
    answers(evidence).any(|(_, answer)| well(answer.status) && !refused(answer))
        || logs.files.iter().any(logged)
        || logs.browsed.iter().any(seen)
}

fn deployment(evidence: &Evidence) -> Vec<Clue> {
    let bad = evidence
        .deployment
        .iter()
        .filter(|check| check.result == CheckResult::Bad);
    bad.map(|check| Clue::new(check.says.clone(), check.source.clone()))
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
    let mut clues = each(evidence, &signs);
    clues.extend(crate::sign::drift::clues(&evidence.beliefs, |_| true));
    clues
}
