//! What caches do with answers.

use super::super::arrived::is_by_edge;
use crate::compare::same;
use crate::logs::Browsed;
use crate::probe::Probe;
use crate::sign::answer::from_cache;
use crate::sign::{Sign, accepted, client_answers, first_of, logs, refused, seen, together};

/// With a query that no cache knows, a request without a token is refused.
pub(crate) static BARE_FRESH_REFUSED: Sign = Sign {
    name: "edge-bare-fresh-refused",
    means: "without a token the request is refused once no cache can know it, so the cache gives away what is protected",
    find: |evidence| {
        let probes = [Probe::Bare, Probe::BareFresh];
        together(evidence, probes, |[bare, fresh]| {
            let (own, new) = (bare.status, fresh.status);
            let holds = accepted(bare) && refused(fresh) && !is_by_edge(fresh);
            holds.then(|| {
                format!("{own} without a token, {new} with a query that no cache has seen")
            })
        })
    },
};

/// Without a token the very answer to the client's request comes back, and a query that no cache knows is refused.
pub(crate) static CLIENTS_ANSWER_GIVEN_AWAY: Sign = Sign {
    name: "edge-clients-answer-given-away",
    means: "without a token the client's own answer is given out, and 401 once no cache can know it",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::BareFresh];
        together(evidence, probes, |[client, bare, fresh]| {
            let known = accepted(client) && accepted(bare) && client.body == bare.body;
            let holds = known && !bare.body.is_empty() && fresh.status == 401;
            (holds && !is_by_edge(fresh)).then(|| {
                let (with, without) = (client.status, bare.status);
                format!("{with} with the token and {without} without it, in the same words")
            })
        })
    },
};

/// Without a token the service itself grants the request.
pub(crate) static BARE_FRESH_ACCEPTED: Sign = Sign {
    name: "edge-bare-fresh-accepted",
    means: "the service itself grants the request without a token: what the cache gives is public",
    find: |evidence| {
        together(evidence, [Probe::BareFresh], |[fresh]| {
            let status = fresh.status;
            let holds = accepted(fresh) && from_cache(fresh).is_none();
            holds.then(|| format!("{status} without a token, with a query that no cache has seen"))
        })
    },
};

/// A token whose signature was altered is accepted out of a cache.
pub(crate) static ALTERED_FROM_CACHE: Sign = Sign {
    name: "edge-altered-from-cache",
    means: "a forged token gets a success out of a cache",
    find: |evidence| {
        together(evidence, [Probe::Altered], |[answer]| {
            let mark = from_cache(answer).filter(|_| accepted(answer))?;
            Some(format!("{} for a forged token: {mark}", answer.status))
        })
    },
};

/// The client's refusal came out of a cache, and the origin itself accepts the token.
pub(crate) static CACHED_REFUSAL_IS_WRONG: Sign = Sign {
    name: "edge-cached-refusal-is-wrong",
    means: "a cache refuses what the service behind it accepts",
    find: |evidence| {
        let client = evidence.answer(Probe::Client).filter(|it| refused(it));
        let Some(mark) = client.and_then(from_cache) else {
            return Vec::new();
        };
        first_of(evidence, &[Probe::Fresh, Probe::Direct], |_, answer| {
            let holds = accepted(answer) && from_cache(answer).is_none();
            holds.then(|| format!("refused by a cache ({mark}), {} past it", answer.status))
        })
    },
};

/// A refusal in a browser's record that a cache gave.
pub(crate) static REFUSAL_BROWSED_FROM_CACHE: Sign = Sign {
    name: "edge-refusal-browsed-from-cache",
    means: "the browser was refused by a cache",
    find: |evidence| {
        let refusals = evidence
            .logs
            .unrecovered()
            .filter(|(_, answer)| refused(answer));
        refusals
            .filter_map(|(one, answer)| {
                let mark = from_cache(answer)?;
                Some(one.clue(format!("{} out of a cache: {mark}", answer.status)))
            })
            .collect()
    },
};

/// In a browser's record the cache refuses what the service grants to the same token.
pub(crate) static CACHE_BROWSED_AGAINST_SERVICE: Sign = Sign {
    name: "edge-cache-browsed-against-service",
    means: "a cache refuses the browser what the service grants to the same token",
    find: |evidence| {
        let path = |url: &str| url.split(['?', '#']).next().map(str::to_owned);
        let asked = |one: &Browsed| {
            let token = one.request.header("authorization")?.to_owned();
            Some((token, one.request.method.clone(), path(&one.request.url)))
        };
        let calls = || {
            let calls = evidence.logs.browsed.iter();
            calls.filter_map(|one| Some((one, one.answer.as_ref()?, asked(one)?)))
        };
        let granted: Vec<_> = calls()
            .filter(|(_, answer, _)| accepted(answer) && from_cache(answer).is_none())
            .map(|(.., asked)| asked)
            .collect();
        let refusals = calls().filter(|(_, answer, asked)| {
            refused(answer) && from_cache(answer).is_some() && granted.contains(asked)
        });
        refusals
            .map(|(one, ..)| one.clue("refused by a cache, granted by the service"))
            .collect()
    },
};

/// An access log that names both the status and what the cache did.
pub(crate) static CACHED_REFUSAL_LOGGED: Sign = Sign {
    name: "edge-cached-refusal-logged",
    means: "an access log shows refusals that a cache gave without asking the service",
    find: |evidence| logs::text(evidence, "edge-cached-refusal-logged"),
};

/// A refusal that no token changes, and a query does: with it the token is looked at.
pub(crate) static SILENT_CACHE: Sign = Sign {
    name: "edge-silent-cache",
    means: "no token changes the refusal, a query that no cache has seen does: a cache without a mark",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::Fresh, Probe::BareFresh];
        let Some([client, bare, fresh, bare_fresh]) = evidence.all_answered(probes) else {
            return Vec::new();
        };
        let steady = client_answers(evidence).all(|(_, answer)| same(client, answer));
        let holds = refused(client)
            && same(client, bare)
            && steady
            && accepted(fresh)
            && refused(bare_fresh);
        seen(
            holds,
            format!(
                "{} with any token and without; with a new query {} with the token, {} without",
                client.status, fresh.status, bare_fresh.status
            ),
            Probe::Fresh,
        )
    },
};

/// With a query that no cache knows the refusal stays.
pub(crate) static FRESH_REFUSED: Sign = Sign {
    name: "edge-fresh-refused",
    means: "the request is refused also where no cache can know it",
    find: |evidence| {
        together(evidence, [Probe::Fresh], |[fresh]| {
            let holds = refused(fresh) && from_cache(fresh).is_none();
            holds.then(|| format!("{} with a query that no cache has seen", fresh.status))
        })
    },
};

/// A refusal that only some of the repeats get, and that a cache gave.
pub(crate) static SOME_REFUSED_BY_CACHE: Sign = Sign {
    name: "edge-some-refused-by-cache",
    means: "of the same request, those are refused that a cache answers",
    find: |evidence| {
        let all: Vec<_> = client_answers(evidence).map(|(_, answer)| answer).collect();
        let cached = all
            .iter()
            .filter(|it| refused(it) && from_cache(it).is_some())
            .count();
        let asked = all
            .iter()
            .filter(|it| accepted(it) && from_cache(it).is_none())
            .count();
        seen(
            cached > 0 && asked > 0,
            format!("refused by a cache {cached} times, accepted by the service {asked} times"),
            Probe::Again(1),
        )
    },
};
