//! What is around or in the token that does not belong to it.

use super::{flips, is_bearer, is_blemished, turned_away};
use crate::compare::same;
use crate::probe::Probe;
use crate::sign::token::presented;
use crate::sign::{Sign, accepted, of_token, together};
use crate::token::Blemish;

/// Something is around or in the token that no verifier reads past.
pub(crate) static SPOILED: Sign = Sign {
    name: "spoiled-token",
    means: "the token carries what no verifier reads past: quotes, a second scheme, another encoding",
    find: |evidence| {
        let spoils = |blemish: &Blemish| {
            matches!(
                blemish,
                Blemish::Quoted
                    | Blemish::Scheme
                    | Blemish::PercentEncoded
                    | Blemish::Base64Encoded
                    | Blemish::Json
                    | Blemish::Foreign
                    | Blemish::InnerBlank
                    | Blemish::Doubled
            )
        };
        let token = presented(evidence);
        let spoiled = token.is_some_and(|token| token.blemishes.iter().any(spoils));
        let client = evidence.answer(Probe::Client);
        let bearer = client.is_none() || is_bearer(evidence);
        if spoiled && bearer && !client.is_some_and(accepted) {
            of_token("what is stored as the token is not only the token", None)
        } else {
            Vec::new()
        }
    },
};

/// What is sent is read, and no better without what does not belong to it as far as that was tried.
pub(crate) static READ_AND_REFUSED: Sign = Sign {
    name: "read-and-refused",
    means: "what is sent is read and refused; without any token the answer is another, and so it is with a cleaned one, where that was tried",
    find: |evidence| {
        together(evidence, [Probe::Client, Probe::Bare], |[client, bare]| {
            let trimmed = evidence.answer(Probe::Trimmed);
            let no_better = trimmed.is_some_and(|trimmed| same(client, trimmed));
            let holds = turned_away(client) && !same(client, bare) && !no_better;
            holds.then(|| format!("{} for it, {} without a token", client.status, bare.status))
        })
    },
};

/// Cleaned, it is refused no less.
pub(crate) static TRIMMED_REFUSED: Sign = Sign {
    name: "trimmed-refused",
    means: "the token is refused in the same way without what does not belong to it",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Trimmed];
        together(evidence, probes, |[client, trimmed]| {
            let holds = !accepted(client) && same(client, trimmed);
            holds.then(|| format!("{} for the cleaned token too", trimmed.status))
        })
    },
};

/// Quotes, blanks and encodings are what makes the difference.
pub(crate) static CLEANING_TURNS: Sign = Sign {
    name: "cleaning-turns",
    means: "the token is accepted once the characters that do not belong to it are off",
    find: |evidence| {
        if !is_blemished(evidence) || !is_bearer(evidence) {
            return Vec::new();
        }
        flips(evidence, &[(Probe::Trimmed, "with the cleaned token")])
    },
};
