//! What issuers and libraries say of a refresh, each in words of its own.

use super::logged::REFRESHES_REFUSED;
use crate::cause::session::texts;
use crate::probe::Probe;
use crate::sign::answer::At;
use crate::sign::{Sign, accepted, each, logs};
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
                &texts::SUPABASE_USED_SAID,
                &texts::OKTA_REUSE,
                &texts::COGNITO_REUSE,
                &texts::DUENDE_REUSE,
                &texts::CONSUMED,
                &texts::OPENIDDICT_REUSE,
                &texts::WORKOS_REUSE,
                &texts::AUTHENTIK_REUSE,
                &texts::FOSITE_REUSE,
                &texts::REUSE_NAMED,
                &texts::REUSE_CODE,
                &texts::REPLAY_NAMED,
                &texts::USED_NAMED,
                &texts::ROTATED_NAMED,
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
                &texts::NO_REFRESH_REQUIRED,
                &texts::NO_REFRESH_ENTRA,
                &texts::NO_REFRESH_FIREBASE,
                &texts::NO_REFRESH_CAMEL,
                &texts::NO_REFRESH_SNAKE,
                &texts::NO_REFRESH_WORDS,
                &texts::NO_REFRESH_MISSING,
                &texts::NO_REFRESH_SUPABASE,
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
                &texts::ENTRA_SPA,
                &texts::ENTRA_LIFETIME,
                &texts::ENTRA_FREQUENCY,
                &texts::SUPABASE_OVER,
                &texts::SALESFORCE_OVER,
                &texts::AWS_SSO_OVER,
                &texts::KEYCLOAK_SESSION_EXPIRED,
                &texts::FIREBASE_OVER,
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

/// The refresh token was revoked, or its time is over: issuers that do not say which, or say that it was ended.
pub(in super::super) static ENDED_SAID: Sign = Sign {
    name: "refresh-token-ended",
    means: "the issuer says that the refresh token was revoked or is over",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::COGNITO_REVOKED,
                &texts::GOOGLE_ENDED,
                &texts::GOOGLE_RAPT,
                &texts::ENTRA_REVOKED,
                &texts::ENTRA_NOT_VALID,
                &texts::ENTRA_SESSION_OVER,
                &texts::ENTRA_DISABLED,
                &texts::SUPABASE_NEWER,
                &texts::KEYCLOAK_STALE,
                &texts::KEYCLOAK_OFFLINE_GONE,
                &texts::FIREBASE_REVOKED,
                &texts::FIREBASE_COOKIE_REVOKED,
                &texts::REVOKED_NAMED,
                &texts::REVOKED_WAS,
                &texts::EXPIRED_NAMED,
                &texts::EXPIRED_CODE,
            ],
        )
    },
};

/// [`ENDED_SAID`] of a refresh, where the API does not take the session's token all the same, and nothing says that
/// two holders or a store in memory led there.
pub(in super::super) static ENDED_ALONE: Sign = Sign {
    name: "refresh-token-ended-alone",
    means: "a refresh is refused because the session was ended or is over, and nothing else explains that",
    find: |evidence| {
        if otherwise(evidence) || evidence.answer(Probe::Client).is_some_and(accepted) {
            return Vec::new();
        }
        let mut clues = of_refresh(evidence, (ENDED_SAID.find)(evidence));
        for clue in each(evidence, &OF_REFRESHES_ONLY) {
            if !clues.contains(&clue) {
                clues.push(clue);
            }
        }
        clues
    },
};

/// Words of [`ENDED_SAID`] that are said where a refresh is refused, and nowhere else.
const OF_REFRESHES_ONLY: [&Sign; 7] = [
    &texts::GOOGLE_ENDED,
    &texts::GOOGLE_RAPT,
    &texts::ENTRA_REVOKED,
    &texts::ENTRA_NOT_VALID,
    &texts::ENTRA_SESSION_OVER,
    &texts::FIREBASE_REVOKED,
    &texts::FIREBASE_COOKIE_REVOKED,
];

/// The issuer takes the refresh token no more, and does not say why.
pub(in super::super) static NOT_TAKEN_SAID: Sign = Sign {
    name: "refresh-token-not-taken",
    means: "the issuer does not take the refresh token any more: over, revoked or used",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::OKTA_INVALID,
                &texts::AUTH0_INVALID,
                &texts::AUTH0_FERTFT,
                &texts::BAD_REFRESH,
                &texts::SLACK_INVALID,
                &texts::PING_INVALID,
                &texts::LINKEDIN_INVALID,
                &texts::SUPABASE_UNKNOWN,
                &texts::OPENIDDICT_INVALID,
                &texts::FOSITE_INVALID,
                &texts::ZITADEL_INVALID,
                &texts::BLACKLISTED,
                &texts::INVALID_OR_EXPIRED,
            ],
        )
    },
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
        if otherwise(evidence) {
            return Vec::new();
        }
        of_refresh(evidence, (SESSION_GONE_SAID.find)(evidence))
    },
};

/// The session is over, says the answer to a refresh: no client could have had a newer access token.
pub(crate) static OVER_AT_REFRESH: Sign = Sign {
    name: "session-over-at-refresh",
    means: "the session is over at the issuer, says its answer to a refresh",
    find: |evidence| {
        let said = [
            &IDLE_SAID_OF_REFRESH,
            &SESSION_GONE_ALONE,
            &ENDED_ALONE,
            &crate::cause::tenure::SESSION_ENDED,
        ];
        let mut clues = each(evidence, &said);
        clues.retain(|clue| {
            let Source::Probe(probe) = clue.source else {
                return false;
            };
            At::Refresh.includes(probe)
        });
        clues
    },
};

/// Sessions that an issuer lost, or that two holders used.
fn otherwise(evidence: &Evidence) -> bool {
    let lost = [
        &logs::IN_MEMORY,
        &logs::AFTER_RESTART,
        &logs::RACE,
        &logs::REUSE,
        &REUSE_SAID,
    ];
    lost.iter().any(|sign| sign.holds(evidence))
}

/// The issuer does not know the client, in words that are meant for it alone.
pub(in super::super) static CLIENT_NAMED_UNKNOWN: Sign = Sign {
    name: "client-named-unknown",
    means: "the issuer says that it has no client of that id",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::ENTRA_NO_CLIENT,
                &texts::GOOGLE_NO_CLIENT,
                &texts::GOOGLE_CLIENT_UNKNOWN,
                &texts::FOSITE_NO_CLIENT,
            ],
        )
    },
};

/// The same, and in words that others use too.
pub(in super::super) static CLIENT_UNKNOWN: Sign = Sign {
    name: "client-unknown",
    means: "the issuer says that it does not know the client",
    find: |evidence| {
        each(
            evidence,
            &[
                &CLIENT_NAMED_UNKNOWN,
                &texts::OIDC_NO_CLIENT,
                &texts::KEYCLOAK_NO_CLIENT,
                &texts::DUENDE_NO_CLIENT,
            ],
        )
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
