//! A server whose configuration refuses who shows no client certificate.

use crate::compare::same;
use crate::drift::{ASKS_FOR_CERTIFICATE, Belief, Subject};
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::{Sign, together};
use crate::{Clue, Evidence};

/// The file's one condition for a 403, and the client is refused by it: with a token, without and with a forged one.
pub(in super::super) static CERTIFICATE_CONDITION: Sign = Sign {
    name: "gateway-certificate-condition",
    means: "the server's configuration refuses requests without a good client certificate, and so it does, whatever the token",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::Altered];
        let wholly = together(evidence, probes, |[client, bare, altered]| {
            let alike = same(client, bare) && same(client, altered);
            (alike && is_plain(client)).then(|| client.status.to_string())
        });
        let secure = evidence
            .exchange(Probe::Client)
            .is_some_and(|exchange| exchange.request.url.starts_with("https:"));
        if wholly.is_empty() || !secure {
            return Vec::new();
        }
        conditions(evidence)
            .map(|belief| Clue::new(format!("`{}`", belief.value), belief.source.clone()))
            .collect()
    },
};

/// The page of nginx, HAProxy or Apache for 403.
fn is_plain(answer: &Answer) -> bool {
    const PAGES: [&str; 3] = [
        "<center><h1>403 Forbidden</h1></center>",
        "Request forbidden by administrative rules.",
        "You don't have permission to access this resource",
    ];
    answer.status == 403 && PAGES.iter().any(|page| answer.body.contains(page))
}

fn conditions(evidence: &Evidence) -> impl Iterator<Item = &Belief> {
    evidence
        .beliefs
        .iter()
        .filter(|belief| belief.about == Subject::Setting && belief.name == ASKS_FOR_CERTIFICATE)
}
