//! A token that is not as its issuer signed it.

use super::signs::{published, reasons, refusals, rivals, secrets};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{keys, probes, token};
use crate::weight::{Prior, Strength};

pub(super) const CHANGED: Cause = Cause {
    id: "TN0425",
    title: "the token itself was changed on the way: cut off, pasted wrongly, encoded anew, or forged",
    layer: Layer::Client,
    prior: Prior::Rare,
    story: "The token names a key that its issuer does publish, and that key does not verify it. Either it is not the token \
            that the issuer signed, letter by letter (a part is missing or pasted wrongly, a proxy or store has written it \
            anew, somebody has edited its claims), or the issuer has another key under this name now. The token alone does \
            not tell one from the other; a fresh one does.",
    signs: &[
        (&published::PUBLISHED_KEY_FAILS, Strength::Points),
        (&token::CUT_OFF, Strength::Marks),
        (&rivals::SIGNATURE_OF_ANOTHER, Strength::Marks),
        (&rivals::SAME_KEY_ACCEPTED, Strength::Marks),
        (&reasons::SIGNATURE, Strength::Points),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Marks),
        (&probes::FLIPS, Strength::Points),
        (&keys::VERIFIES, Strength::Marks),
        (&keys::KID_UNKNOWN, Strength::Points),
        (&keys::NO_KID, Strength::Points),
        (&reasons::KID, Strength::Points),
        (&secrets::SHARED_SECRET, Strength::Suggests),
        (&published::OF_OTHER_ISSUER, Strength::Suggests),
        (&rivals::OLDER_MATERIAL_ACCEPTED, Strength::Marks),
    ],
    // Several issuers that share a name for their keys look the same.
    settled_by: &[
        &[&token::CUT_OFF, &refusals::ALWAYS_REFUSED],
        &[&rivals::SIGNATURE_OF_ANOTHER],
    ],
    ruled_out_by: &[&token::OPAQUE, &token::ENCRYPTED],
    fix: "Get a fresh token and send it from the same client. If it works, compare the two where they are kept: the length \
          of the third part, plus signs and slashes in place of hyphens and underscores, a line end in the middle, a field of \
          the database that is too short. If it fails as well, the token is not to blame: look at the issuer's keys.",
    next: &[
        Step::Probe(Probe::OtherToken),
        Step::Supply(
            "another, fresh token of the same issuer",
            "--other-token-file FILE",
        ),
        Step::Probe(Probe::Jwks),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7515#section-5.2",
        "https://www.rfc-editor.org/rfc/rfc7515#appendix-C",
    ],
};
