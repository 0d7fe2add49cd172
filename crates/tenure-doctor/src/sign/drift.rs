//! Who disagrees with whom.

use super::Sign;
use crate::drift::{Belief, Disagreement, Nature, Subject, compare};
use crate::{Clue, Evidence, Source};

macro_rules! disagreements {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $subject:ident, $means:literal;)*) => {
        $($(#[$doc])* pub static $name: Sign = Sign {
            name: $text,
            means: $means,
            find: |evidence| differ(evidence, Subject::$subject),
        };)*
    };
}

disagreements! {
    /// About the issuer.
    ISSUERS_DIFFER = "issuers-differ", Issuer, "issuer and verifier believe in different issuers";
    /// About the audience.
    AUDIENCES_DIFFER = "audiences-differ", Audience, "the verifier asks for another audience";
    /// About the client id.
    CLIENTS_DIFFER = "clients-differ", ClientId, "client and verifier believe in different client ids";
    /// About the user pool.
    POOLS_DIFFER = "pools-differ", UserPool, "places name different user pools";
    /// About where the keys are.
    JWKS_DIFFER = "jwks-differ", JwksUri, "places name different key sets";
    /// About the shared secret.
    SECRETS_DIFFER = "secrets-differ", Secret, "issuer and verifier have different secrets";
    /// About the algorithm.
    ALGORITHMS_DIFFER = "algorithms-differ", Algorithm, "issuer and verifier use different algorithms";
}

/// One secret, base64-encoded or with blanks on one side.
pub static SECRET_FORMS_DIFFER: Sign = Sign {
    name: "secret-forms-differ",
    means: "one secret stands there in two forms: encoded, or with blanks around it",
    find: |evidence| {
        clues(&evidence.beliefs, |one| {
            one.about == Subject::Secret && matches!(one.nature, Nature::Blanks | Nature::Base64)
        })
    },
};

fn differ(evidence: &Evidence, subject: Subject) -> Vec<Clue> {
    clues(&evidence.beliefs, |one| one.about == subject)
}

/// The disagreements that are wanted, each with the place on its other side.
pub(crate) fn clues(beliefs: &[Belief], wanted: impl Fn(&Disagreement) -> bool) -> Vec<Clue> {
    let disagreements = compare(beliefs);
    let clue = |one: &Disagreement| {
        let (left, right) = (one.left.first()?, one.right.first()?);
        let says = format!(
            "{} says {}, {} says {}",
            place(left),
            left.value,
            place(right),
            right.value
        );
        Some(Clue::new(says, right.source.clone()))
    };
    disagreements
        .iter()
        .filter(|one| wanted(one))
        .filter_map(clue)
        .collect()
}

fn place(belief: &Belief) -> String {
    match &belief.source {
        Source::Token => format!("the token (`{}`)", belief.name),
        source => format!("{source} (`{}`)", belief.name),
    }
}
