//! What two or three probes say together.

use super::{Sign, accepted, answers, client_answers, refused, seen, together};
use crate::compare::same;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::{Clue, Evidence};

/// P0, P1 and P4 get the same refusal: nothing looked at the token.
pub static NEVER_EVALUATED: Sign = Sign {
    name: "token-never-evaluated",
    means: "the answer is the same with the token, without it and with a forged one",
    find: |evidence| {
        together(evidence, FIRST_CUT, |[client, bare, altered]| {
            let holds = !accepted(client) && same(client, bare) && same(client, altered);
            holds.then(|| {
                format!(
                    "{} with the token, without it and with an altered signature: nothing looked at it",
                    client.status
                )
            })
        })
    },
};

/// P0 and P4 get the same refusal and P1 another: the token is read, and fails as a forged one does.
pub static FAILS_AS_FORGED: Sign = Sign {
    name: "fails-as-forged",
    means: "the token is read and refused exactly as one with a bad signature",
    find: |evidence| {
        together(evidence, FIRST_CUT, |[client, bare, altered]| {
            let holds = refused(client) && !same(client, bare) && same(client, altered);
            holds.then(|| {
                format!(
                    "{} for the token as for one with an altered signature, but not as without a token ({})",
                    client.status, bare.status
                )
            })
        })
    },
};

/// P0 is refused otherwise than P4: the signature is good, the refusal is about what the token says.
pub static SIGNATURE_PASSES: Sign = Sign {
    name: "signature-passes",
    means: "an altered signature is refused in another way, so the signature of the token is good",
    find: |evidence| {
        together(evidence, FIRST_CUT, |[client, _, altered]| {
            let judged = !accepted(altered) && !is_passing(altered) && !answers_vary(evidence);
            let holds = refused(client) && judged && !same(client, altered);
            holds.then(|| {
                format!(
                    "{} for the token, {} in other words with an altered signature: the signature is good",
                    client.status, altered.status
                )
            })
        })
    },
};

/// P0 is refused in the words of P1: the token did not arrive where it is asked for.
pub static AS_WITHOUT_TOKEN: Sign = Sign {
    name: "as-without-token",
    means: "the answer with the token is the answer without one",
    find: |evidence| {
        together(evidence, [Probe::Client, Probe::Bare], |[client, bare]| {
            let holds = !accepted(client) && same(client, bare);
            holds.then(|| format!("{} with the token as without it", client.status))
        })
    },
};

/// The client's own request is accepted.
pub static ACCEPTED: Sign = Sign {
    name: "accepted",
    means: "the client's own request works now",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            accepted(answer).then(|| format!("{} for the client's request", answer.status))
        })
    },
};

/// Each repetition of the client's own request is accepted.
pub static ALWAYS_ACCEPTED: Sign = Sign {
    name: "always-accepted",
    means: "the client's own request works each time",
    find: |evidence| {
        let all: Vec<_> = client_answers(evidence).collect();
        let holds = all.len() > 1 && all.iter().all(|(_, answer)| accepted(answer));
        seen(
            holds,
            format!("accepted {} times of {0}", all.len()),
            Probe::Client,
        )
    },
};

/// The client's own request is refused with 401.
pub static REFUSED_401: Sign = Sign {
    name: "refused-401",
    means: "401 for the client's own request",
    find: |evidence| status(evidence, 401),
};

/// The client's own request is refused with 403.
pub static REFUSED_403: Sign = Sign {
    name: "refused-403",
    means: "403 for the client's own request",
    find: |evidence| status(evidence, 403),
};

/// The request is accepted without a token.
pub static BARE_ACCEPTED: Sign = Sign {
    name: "bare-accepted",
    means: "the request works without a token",
    find: |evidence| {
        together(evidence, [Probe::Bare], |[answer]| {
            accepted(answer).then(|| format!("{} without a token", answer.status))
        })
    },
};

/// The same request gets different answers.
pub static REPEATS_DIFFER: Sign = Sign {
    name: "repeats-differ",
    means: "the same request gets different answers",
    find: |evidence| {
        let all: Vec<_> = client_answers(evidence).collect();
        let Some((_, first)) = all.first() else {
            return Vec::new();
        };
        let yes = all.iter().filter(|(_, answer)| accepted(answer)).count();
        let differ = all.iter().any(|(_, answer)| !same(first, answer));
        let says = format!("the same request {} times: accepted {yes} times", all.len());
        seen(differ, says, Probe::Again(1))
    },
};

/// Some repetitions are accepted and some refused.
pub static FLIPS: Sign = Sign {
    name: "flips",
    means: "the same request is now accepted, now refused",
    find: |evidence| {
        let all: Vec<_> = client_answers(evidence).collect();
        let yes = all.iter().filter(|(_, answer)| accepted(answer)).count();
        let no = all.iter().filter(|(_, answer)| refused(answer)).count();
        let says = format!("the same token: accepted {yes} times, refused {no} times");
        seen(yes > 0 && no > 0, says, Probe::Again(1))
    },
};

/// A random path is refused in the same words: the route is not what answers.
pub static ANY_PATH_ALIKE: Sign = Sign {
    name: "any-path-alike",
    means: "a path that does not exist gets the same answer",
    find: |evidence| alike(evidence, Probe::OtherPath, "a path that cannot exist"),
};

/// A path that does not exist gets another answer than the client's.
pub static PATH_MATTERS: Sign = Sign {
    name: "path-matters",
    means: "a path that does not exist gets another answer, so the route exists",
    find: |evidence| {
        let probes = [Probe::Client, Probe::OtherPath];
        together(evidence, probes, |[client, other]| {
            let (here, there) = (client.status, other.status);
            (!same(client, other))
                .then(|| format!("{here} here, {there} at a path that cannot exist"))
        })
    },
};

/// Garbage in place of the token is refused in the same words.
pub static AS_GARBAGE: Sign = Sign {
    name: "as-garbage",
    means: "the token is refused as garbage is",
    find: |evidence| alike(evidence, Probe::Garbage, "`Bearer x`"),
};

/// Another token of the same issuer is accepted.
pub static OTHER_TOKEN_ACCEPTED: Sign = Sign {
    name: "other-token-accepted",
    means: "another user's or client's token is accepted",
    find: |evidence| {
        turns(
            evidence,
            Probe::OtherToken,
            "another token of the same issuer",
        )
    },
};

/// Another endpoint of the API accepts the token.
pub static OTHER_ENDPOINT_ACCEPTED: Sign = Sign {
    name: "other-endpoint-accepted",
    means: "another endpoint of the same API accepts the token",
    find: |evidence| {
        turns(
            evidence,
            Probe::OtherEndpoint,
            "another endpoint of the API",
        )
    },
};

/// The token is accepted once what does not belong to it is taken off.
pub static TRIMMED_ACCEPTED: Sign = Sign {
    name: "trimmed-accepted",
    means: "the token is accepted without the characters that do not belong to it",
    find: |evidence| {
        turns(
            evidence,
            Probe::Trimmed,
            "the token without blanks, quotes and encodings",
        )
    },
};

/// Past the edge the request is accepted.
pub static DIRECT_ACCEPTED: Sign = Sign {
    name: "direct-accepted",
    means: "the request is accepted when it goes around the edge",
    find: |evidence| turns(evidence, Probe::Direct, "the origin behind the edge"),
};

/// With a query that no cache has seen the request is accepted.
pub static FRESH_ACCEPTED: Sign = Sign {
    name: "fresh-accepted",
    means: "the request is accepted when no cache can know it",
    find: |evidence| turns(evidence, Probe::Fresh, "a query that no cache has seen"),
};

/// With a browser's header fields the answer is another one.
pub static BROWSER_DIFFERS: Sign = Sign {
    name: "browser-differs",
    means: "a browser's header fields change the answer",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Browser];
        together(evidence, probes, |[client, browser]| {
            let (own, other) = (client.status, browser.status);
            (own != other).then(|| format!("{own} as the client, {other} as a browser"))
        })
    },
};

/// The preflight is refused.
pub static PREFLIGHT_REFUSED: Sign = Sign {
    name: "preflight-refused",
    means: "the browser's preflight is not answered with success",
    find: |evidence| {
        together(evidence, [Probe::Preflight], |[answer]| {
            (!accepted(answer)).then(|| format!("{} for the preflight (OPTIONS)", answer.status))
        })
    },
};

/// The preflight succeeds and allows the Authorization header.
pub static PREFLIGHT_ALLOWED: Sign = Sign {
    name: "preflight-allowed",
    means: "the browser's preflight allows the request",
    find: |evidence| {
        together(evidence, [Probe::Preflight], |[answer]| {
            let allowed = answer.header("access-control-allow-origin").is_some()
                && answer.header("access-control-allow-headers").is_some();
            (accepted(answer) && allowed).then(|| "the preflight is allowed".to_owned())
        })
    },
};

/// The request is redirected to another host, port or scheme.
pub static REDIRECTED_ELSEWHERE: Sign = Sign {
    name: "redirected-elsewhere",
    means: "the request is redirected to another host, port or scheme, where clients drop the header",
    find: |evidence| {
        let mut clues = Vec::new();
        for exchange in &evidence.exchanges {
            let Ok(answer) = &exchange.result else {
                continue;
            };
            let Some(location) = answer.header("location") else {
                continue;
            };
            if !(300..400).contains(&answer.status)
                || !matches!(
                    exchange.probe,
                    Probe::Client | Probe::Hop(_) | Probe::KeptHop(_)
                )
            {
                continue;
            }
            if let Some((from, to)) = leaves(&exchange.request.url, location) {
                clues.extend(seen(
                    true,
                    format!("{} from {from} to {to}", answer.status),
                    exchange.probe,
                ));
            }
        }
        clues
    },
};

/// Where all redirects were followed with the header kept, the request is accepted.
pub static KEPT_HEADER_ACCEPTED: Sign = Sign {
    name: "kept-header-accepted",
    means: "the request is accepted at the end of the redirects when the header is kept",
    find: |evidence| {
        let last = answers(evidence)
            .filter(|(probe, _)| matches!(probe, Probe::KeptHop(_)))
            .last();
        let kept = |(probe, answer): (Probe, &Answer)| {
            let says = format!(
                "{} at the end of the redirects with the header kept",
                answer.status
            );
            seen(accepted(answer), says, probe)
        };
        last.map(kept).unwrap_or_default()
    },
};

/// At the end of the redirects, followed as clients do, the request is refused.
pub static REFUSED_AFTER_REDIRECT: Sign = Sign {
    name: "refused-after-redirect",
    means: "the request is refused at the end of the redirects, followed as clients do",
    find: |evidence| {
        let last = answers(evidence)
            .filter(|(probe, _)| matches!(probe, Probe::Hop(_)))
            .last();
        let followed = |(probe, answer): (Probe, &Answer)| {
            let says = format!("{} at the end of the redirects", answer.status);
            seen(refused(answer), says, probe)
        };
        last.map(followed).unwrap_or_default()
    },
};

const FIRST_CUT: [Probe; 3] = [Probe::Client, Probe::Bare, Probe::Altered];

fn status(evidence: &Evidence, status: u16) -> Vec<Clue> {
    together(evidence, [Probe::Client], |[answer]| {
        (answer.status == status).then(|| format!("{status} for the client's request"))
    })
}

/// The client's request is refused, and this probe gets the same answer.
fn alike(evidence: &Evidence, probe: Probe, what: &str) -> Vec<Clue> {
    together(evidence, [Probe::Client, probe], |[client, other]| {
        let holds = !accepted(client) && same(client, other);
        holds.then(|| format!("{} for {what} too, in the same words", client.status))
    })
}

/// An answer that says nothing about the request: wait, or come back later.
pub(crate) fn is_passing(answer: &Answer) -> bool {
    matches!(answer.status, 408 | 429 | 503)
}

/// The client's own request is accepted at times: then another probe's success is no proof of what it changed.
pub(crate) fn answers_vary(evidence: &Evidence) -> bool {
    client_answers(evidence).any(|(_, answer)| accepted(answer))
}

/// The client's request is not accepted, and this probe is.
fn turns(evidence: &Evidence, probe: Probe, what: &str) -> Vec<Clue> {
    together(evidence, [Probe::Client, probe], |[client, other]| {
        let judged = !accepted(client) && !is_passing(client);
        let holds = judged && accepted(other) && !answers_vary(evidence);
        let (own, changed) = (client.status, other.status);
        holds.then(|| format!("{own} for the client's request, {changed} with {what}"))
    })
}

/// Both ends of a redirect that leaves host, port or scheme.
fn leaves(from: &str, location: &str) -> Option<(String, String)> {
    let from = url::Url::parse(from).ok()?;
    let to = from.join(location).ok()?;
    let end = |url: &url::Url| {
        let port = url.port_or_known_default().unwrap_or_default();
        format!(
            "{}://{}:{port}",
            url.scheme(),
            url.host_str().unwrap_or_default()
        )
    };
    (end(&from) != end(&to)).then(|| (end(&from), end(&to)))
}
