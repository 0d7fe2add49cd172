//! What only the causes of Tenure's own service ask.

mod published;
mod reached;

pub(super) use published::{OWN_KEY_NOT_PUBLISHED, REFRESHED_NOW};
pub(super) use reached::{GONE_IN_LOG, NOBODY_BEHIND, NOTHING_COMES_BACK, PAGE_REFUSED_BROWSED};

use super::texts;
use crate::deployment::CheckResult;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::{Sign, accepted, answers, contains, each, logs, refused, seen};
use crate::{Clue, Evidence};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $means:literal, [$($reason:literal),*];)*) => {
        $($(#[$doc])* pub(super) static $name: Sign = Sign {
            name: $text,
            means: $means,
            find: |evidence| reason(evidence, &[$($reason),*]),
        };)*
    };
}

reasons! {
    /// Somebody ended it.
    ENDED_ON_PURPOSE = "tenure-reason-on-purpose", "the service says that somebody ended the session",
        ["logged_out", "revoked_by_user", "revoked_by_admin", "credentials_changed"];
    /// The account.
    ACCOUNT_DISABLED = "tenure-reason-account-disabled", "the service says that the account is disabled", ["account_disabled"];
    /// The client.
    CLIENT_REMOVED = "tenure-reason-client-removed", "the service says that the client is no longer registered", ["client_removed"];
    /// The copy.
    THEFT = "tenure-reason-theft", "the service says that the sign-in was copied", ["theft_detected"];
    /// The limits.
    OVER = "tenure-reason-over", "the service says that the session's time is over", ["expired_idle", "expired_absolute"];
    /// Nothing is known of it.
    UNKNOWN = "tenure-reason-unknown", "the service does not know the refresh token", ["unknown"];
}

/// The service says why a session is over, whatever the reason.
pub(crate) static SESSION_ENDED: Sign = Sign {
    name: "tenure-session-ended",
    means: "the service says that the session is over",
    find: |evidence| {
        each(
            evidence,
            &[
                &ENDED_ON_PURPOSE,
                &ACCOUNT_DISABLED,
                &CLIENT_REMOVED,
                &THEFT,
                &OVER,
            ],
        )
    },
};

/// Answers whose `tenure_reason` is one of these, and refreshes that the service's log says were refused for one.
fn reason(evidence: &Evidence, wanted: &[&str]) -> Vec<Clue> {
    let logged = wanted
        .iter()
        .flat_map(|reason| logs::text(evidence, &format!("tenure-ended-{reason}")));
    let given = answers(evidence).filter(|(_, answer)| !accepted(answer));
    let answered = given
        .filter_map(|(probe, answer)| Some((probe, answer, told(answer)?)))
        .filter(|(.., told)| wanted.contains(&told.as_str()))
        .flat_map(|(probe, answer, told)| {
            let says = format!("{} with tenure_reason {told}", answer.status);
            seen(true, says, probe)
        });
    answered.chain(logged).collect()
}

fn told(answer: &Answer) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
    Some(body.get("tenure_reason")?.as_str()?.to_owned())
}

/// The service refused a refresh of a session that was over, and its log does not tell why.
pub(super) static ENDED_UNSAID: Sign = Sign {
    name: "tenure-ended-unsaid",
    means: "the service refused the refresh of a session that nothing in its log had ended",
    find: |evidence| logs::text(evidence, "tenure-ended-unsaid"),
};

/// The service, by its form, does not know the client that refreshes.
pub(super) static NOT_REGISTERED: Sign = Sign {
    name: "tenure-client-not-registered",
    means: "the service says that the client is not registered",
    find: |evidence| {
        let tenure = IN_ITS_FORM.holds(evidence);
        if tenure {
            (texts::NOT_REGISTERED.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $means:literal, [$($check:literal),*];)*) => {
        $($(#[$doc])* pub(super) static $name: Sign = Sign {
            name: $text,
            means: $means,
            find: |evidence| bad(evidence, &[$($check),*]),
        };)*
    };
}

checks! {
    /// `/health/ready`.
    NOT_READY = "tenure-not-ready", "the service says that it is not ready", ["ready"];
    /// On memory.
    NOT_DURABLE = "tenure-not-durable", "the service keeps sessions in memory", ["store-durable"];
    /// Its name.
    ISSUER_DIFFERS = "tenure-issuer-differs", "the service calls itself by another URL than it is asked at", ["issuer-equal"];
    /// Its clock.
    CLOCK_NOT_TRUSTED = "tenure-clock-not-trusted", "the service does not believe its clock", ["clock-trusted"];
    /// The page's origin.
    ORIGIN_NOT_ALLOWED = "tenure-origin-not-allowed", "pages of the given origin may not ask", ["cors-origin"];
    /// What it publishes.
    KEYS_NOT_PUBLISHED = "tenure-keys-not-published", "the published keys are not those that sign", ["jwks", "signing-key-published", "addresses-agree"];
    /// What stands in front of it.
    NOT_ITSELF = "tenure-not-itself", "something in front answers for the service, or changes its answers",
        ["discovery", "forwarded-headers", "unauthorized", "unauthorized-reason", "refusal-not-cached", "unavailable-retry-after", "cors-stranger"];
    /// How it is reached.
    NO_TLS = "tenure-plain-http", "the service is reached without TLS", ["https"];
    /// Whether it is.
    NOT_REACHED = "tenure-not-reached", "the service does not answer", ["reachable"];
}

/// Checks of these names that went badly.
fn bad(evidence: &Evidence, names: &[&str]) -> Vec<Clue> {
    let all = evidence.deployment.iter();
    let failed = all
        .filter(|check| check.result == CheckResult::Bad && names.contains(&check.name.as_str()));
    failed
        .map(|check| Clue::new(&check.says, check.source.clone()))
        .collect()
}

/// A refusal in the form in which Tenure's service writes its own, or its log: other products have the same words.
pub(super) static IN_ITS_FORM: Sign = Sign {
    name: "tenure-form",
    means: "the words stand where Tenure's service writes them",
    find: |evidence| {
        let formed = |answer: &Answer| {
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let member = |name: &str| body.get(name).is_some_and(serde_json::Value::is_string);
            answer.status >= 400 && member("error") && member("error_description")
        };
        let answer = answers(evidence).find(|(_, answer)| formed(answer));
        let mut clues = answer.map_or_else(Vec::new, |(probe, answer)| {
            let says = format!("{} with `error` and `error_description`", answer.status);
            seen(true, says, probe)
        });
        let browsed = evidence.logs.unrecovered();
        let browsed = browsed.filter(|(_, answer)| formed(answer));
        clues.extend(browsed.map(|(one, answer)| {
            one.clue(format!(
                "{} with `error` and `error_description`",
                answer.status
            ))
        }));
        for (name, _) in texts::TEXTS {
            clues.extend(logs::text(evidence, name));
        }
        clues
    },
};

/// 503 in the words of a store that fails; the service has other reasons for 503.
pub(super) static STORE_FAILS: Sign = Sign {
    name: "tenure-store-fails",
    means: "the service says that its store fails",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::STORE_UNREACHABLE,
                &texts::STORE_READ_ONLY,
                &texts::STORE_FULL,
                &texts::STORE_BUSY,
            ],
        )
    },
};

/// In its log or its health.
pub(super) static ON_MEMORY: Sign = Sign {
    name: "tenure-on-memory",
    means: "the service keeps sessions in memory",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::MEMORY_JSON,
                &texts::MEMORY_TEXT,
                &texts::MEMORY_BANNER,
                &NOT_DURABLE,
            ],
        )
    },
};

/// A session that the service ought to know, and does not.
pub(super) static SESSION_UNKNOWN: Sign = Sign {
    name: "tenure-session-unknown",
    means: "the service does not know a session, or lacks the key of its token",
    find: |evidence| {
        each(
            evidence,
            &[&texts::UNKNOWN_LINEAGE, &texts::KEY_MISSING, &UNKNOWN],
        )
    },
};

/// The issuer's metadata, by Tenure, names another issuer than it was asked for by, and the client is refused.
pub(super) static METADATA_NAMES_OTHER: Sign = Sign {
    name: "tenure-metadata-names-other",
    means: "Tenure's metadata names another issuer than the URL that it was asked at",
    find: |evidence| {
        let Some(exchange) = evidence.exchange(Probe::Discovery) else {
            return Vec::new();
        };
        let Ok(answer) = &exchange.result else {
            return Vec::new();
        };
        let sent = &exchange.request;
        let asked = sent.url.split("/.well-known/").next().unwrap_or_default();
        let metadata: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let named = metadata.get("issuer").and_then(serde_json::Value::as_str);
        let turned_away = evidence
            .answer(Probe::Client)
            .is_some_and(|it| !accepted(it));
        match named {
            Some(named) if metadata.get("tenure_rotation").is_some() => seen(
                turned_away && named.trim_end_matches('/') != asked.trim_end_matches('/'),
                format!("the metadata at {asked} name the issuer {named}"),
                Probe::Discovery,
            ),
            _ => Vec::new(),
        }
    },
};

/// A page may not ask this service, which is Tenure by its metadata or its challenge.
pub(super) static PAGE_REFUSED: Sign = Sign {
    name: "tenure-page-refused",
    means: "Tenure's service does not let pages of this origin read its answers",
    find: |evidence| {
        let tenure = answers(evidence).any(|(_, answer)| {
            contains(&answer.body, "tenure_rotation")
                || mentions(answer.header("www-authenticate"), "realm=\"tenure\"")
        });
        let closed = |probe: Probe| {
            let answer = evidence.answer(probe)?;
            let open = answer.header("access-control-allow-origin").is_some();
            (!open && (refused(answer) || !accepted(answer) || probe == Probe::Origin))
                .then_some((probe, answer.status))
        };
        let found = closed(Probe::Preflight).or_else(|| closed(Probe::Origin));
        match found {
            Some((probe, status)) if tenure => seen(
                true,
                format!("{status} without Access-Control-Allow-Origin, by Tenure's service"),
                probe,
            ),
            _ => Vec::new(),
        }
    },
};
