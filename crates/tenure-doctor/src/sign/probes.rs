//! What two or three probes say together.

use super::{Sign, accepted, client_answers, refused, seen, together};
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
