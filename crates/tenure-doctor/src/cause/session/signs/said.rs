//! What issuers and libraries say of a refresh, each in words of its own.

use super::logged::REFRESHES_REFUSED;
use crate::cause::session::texts;
use crate::sign::{Sign, each, logs};
use crate::{Clue, Evidence, Source};

/// The issuer met a used refresh token, in the words of several.
pub(in super::super) static REUSE_SAID: Sign = Sign {
    name: "refresh-reuse-said",
    means: "the issuer says that a used refresh token came back",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::SUPABASE_USED,
                &texts::SUPABASE_REUSE,
                &texts::AUTH0_REUSE,
                &texts::AUTH0_FERRT,
                &texts::KEYCLOAK_REUSE,
                &texts::OIDC_REUSE,
                &texts::TENURE_THEFT,
            ],
        )
    },
};

/// A refresh went out without its token, in the words of several issuers.
pub(in super::super) static SENT_WITHOUT: Sign = Sign {
    name: "refresh-sent-without-token",
    means: "a refresh was sent without a refresh token",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::NO_REFRESH_TOKEN,
                &texts::NO_REFRESH_PARAMETER,
                &texts::NO_COGNITO_REFRESH,
                &texts::BLANK_REFRESH,
                &texts::BLANK_REFRESH_SAID,
            ],
        )
    },
};

/// The refresh token's time is over, in the words of several issuers that say so for no other reason.
pub(in super::super) static IDLE_SAID: Sign = Sign {
    name: "refresh-token-over",
    means: "the issuer says that the refresh token's time is over",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::KEYCLOAK_TOKEN_INACTIVE,
                &texts::ENTRA_INACTIVE,
                &texts::ENTRA_EXPIRED,
                &texts::COGNITO_EXPIRED,
                &texts::SUPABASE_INACTIVE,
                &texts::REFRESH_EXPIRED,
            ],
        )
    },
};

/// [`IDLE_SAID`] of a refresh: access tokens that expire are spoken of in the same words.
pub(in super::super) static IDLE_SAID_OF_REFRESH: Sign = Sign {
    name: "refresh-token-over-at-refresh",
    means: "a refresh is refused because the refresh token's time is over",
    find: |evidence| of_refresh(evidence, (IDLE_SAID.find)(evidence)),
};

/// Keycloak does not have the session.
pub(in super::super) static SESSION_GONE_SAID: Sign = Sign {
    name: "session-gone-said",
    means: "the issuer says that the session of the refresh token is gone",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::KEYCLOAK_SESSION_INACTIVE,
                &texts::KEYCLOAK_OFFLINE_INACTIVE,
            ],
        )
    },
};

/// [`SESSION_GONE_SAID`] of a refresh, while no restart or store in memory explains that.
pub(in super::super) static SESSION_GONE_ALONE: Sign = Sign {
    name: "session-gone-alone",
    means: "the issuer says that the session is gone, and nothing says that it lost its store",
    find: |evidence| {
        let lost = [
            &logs::IN_MEMORY,
            &logs::AFTER_RESTART,
            &logs::RACE,
            &logs::REUSE,
        ];
        if lost.iter().any(|sign| sign.holds(evidence)) {
            return Vec::new();
        }
        of_refresh(evidence, (SESSION_GONE_SAID.find)(evidence))
    },
};

/// aws-jwt-verify's wait, by its name or its message.
pub(in super::super) static WAIT_PERIOD: Sign = Sign {
    name: "jwks-wait-period",
    means: "the verifier waits before it asks for keys again, and refuses meanwhile",
    find: |evidence| each(evidence, &[&texts::WAIT_PERIOD, &texts::WAIT_PERIOD_SAID]),
};

/// Clues of answers; those of logs only where refreshes were refused.
pub(super) fn of_refresh(evidence: &Evidence, clues: Vec<Clue>) -> Vec<Clue> {
    let refused = REFRESHES_REFUSED.holds(evidence);
    let answered = |clue: &Clue| matches!(clue.source, Source::Probe(_));
    let kept = clues.into_iter().filter(|clue| refused || answered(clue));
    kept.collect()
}
