//! Sessions that their own client loses.

use super::signs::{logged, refreshes, said, sign_in};
use super::texts;
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{logs, probes, token};
use crate::weight::{Prior, Strength};

pub(super) const NEVER_REFRESHED: Cause = Cause {
    id: "TN0601",
    title: "the client never uses its refresh token",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "The client stores a refresh token and attaches the access token as it is, until that \
            expires. Then each request is refused, and the app takes the refusal for the end of the \
            session. Users are signed out one access-token lifetime after each sign-in, and at each \
            start of the app that comes later than that, however long the refresh token would have \
            been good.",
    signs: &[
        (&logs::NEVER_CALLED, Strength::Marks),
        (&refreshes::EXPIRED_REFRESH_WORKS, Strength::Points),
    ],
    against: &[
        (&logs::RACE, Strength::Points),
        (&logs::REUSE, Strength::Points),
        (&logs::WIPED, Strength::Points),
        (&logged::REFRESHES_REFUSED, Strength::Points),
        (&probes::ACCEPTED, Strength::Hints),
    ],
    settled_by: &[&[&logs::NEVER_CALLED]],
    ruled_out_by: &[],
    fix: "Refresh before a request whose access token is about to expire, once for all requests that \
          wait (single flight), and keep the expiry beside the token so that a restarted app knows it. \
          Only a refusal of the refresh itself (`invalid_grant`) ends the session. Check: sign in, wait \
          longer than the lifetime, reopen the app; it lands signed in.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Supply(
            "the app's and the token endpoint's logs from a sign-in to the next",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6749#section-6",
        "https://www.rfc-editor.org/rfc/rfc9700#section-4.14",
    ],
};

pub(super) const RACE: Cause = Cause {
    id: "TN0602",
    title: "two holders use one refresh token, and the issuer revokes its family",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "Tabs, a second HTTP client, a second process or a copied store refresh with the same \
            token. One gets its successor; the other presents a token that is used up. An issuer \
            that rotates takes that for theft and revokes the whole family, so both are signed out \
            although nobody stole anything.",
    signs: &[
        (&logs::RACE, Strength::Marks),
        (&logged::TWO_HOLDERS, Strength::Marks),
        (&said::REUSE_SAID, Strength::Points),
        (&logs::REUSE, Strength::Suggests),
    ],
    against: &[
        (&logs::ANSWER_LOST, Strength::Points),
        (&logged::SUCCESSOR_UNUSED, Strength::Suggests),
    ],
    settled_by: &[&[&logged::RACE_KNOWN]],
    ruled_out_by: &[],
    fix: "One owner of the session for all HTTP clients, tabs and processes of an installation: a lock \
          around the refresh (Web Locks, a file lock), and a second look at the store once the lock is \
          held. At the issuer, allow the last token for a few seconds more (Auth0: reuse interval; \
          Supabase: `GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL`) or retire a token only when its \
          successor is used.",
    next: &[Step::Supply(
        "logs of the token endpoint and of all clients, with fingerprints of the refresh tokens",
        "tenure doctor logs FILE",
    )],
    references: &[
        "auth0/docs#8821",
        "supabase/auth#2136",
        "supabase/auth#466",
        "supabase/auth-js#213",
        "better-auth/better-auth#8512",
        "https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2",
    ],
};

pub(super) const ANSWER_LOST: Cause = Cause {
    id: "TN0603",
    title: "the answer to a rotating refresh was lost, and the client came back with the old token",
    layer: Layer::Client,
    prior: Prior::Rare,
    story: "The issuer rotated the refresh token, and its answer did not reach the client's store: the \
            network broke, the machine slept, or the app ended before it had written. The client still \
            holds the old token and presents it minutes or days later, which the issuer takes for \
            theft. Nobody ever presents the successor.",
    signs: &[
        (&logs::ANSWER_LOST, Strength::Marks),
        (&logged::SUCCESSOR_UNUSED, Strength::Points),
        (&texts::ANSWER_LOST, Strength::Points),
        (&logs::REUSE, Strength::Suggests),
        (&said::REUSE_SAID, Strength::Hints),
    ],
    against: &[(&logged::TWO_HOLDERS, Strength::Points)],
    settled_by: &[&[&logged::CARRIED_OUT]],
    ruled_out_by: &[],
    fix: "Write the new tokens before anything uses them, and answer the caller only then. At the \
          issuer, give the same successor again to whoever repeats a refresh whose successor was never \
          used; a grace period by the clock must not run out while the client's machine is off.",
    next: &[Step::Supply(
        "the client's log around its last good refresh, beside the issuer's",
        "tenure doctor logs FILE",
    )],
    references: &[
        "Macro-Deck-App/Macro-Deck#815",
        "Macro-Deck-App/Macro-Deck#818",
        "Macro-Deck-App/Macro-Deck#933",
    ],
};

pub(super) const WIPED: Cause = Cause {
    id: "TN0604",
    title: "a refresh that failed in passing wipes the session",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "A refresh ended with a timeout, a reset connection, 5xx, 429 or a firewall's 403. None of \
            them says anything about the refresh token, and the client deleted it all the same. The \
            user has to sign in again after each hiccup of the network.",
    signs: &[
        (&logs::WIPED, Strength::Marks),
        (&refreshes::REFRESH_PASSING, Strength::Suggests),
        (&texts::WAF_AT_ISSUER, Strength::Suggests),
    ],
    against: &[
        (&logs::NEVER_CALLED, Strength::Points),
        (&logs::REUSE, Strength::Hints),
    ],
    settled_by: &[&[&logs::WIPED]],
    ruled_out_by: &[],
    fix: "Clear the session for the issuer's definitive words only (`invalid_grant`, Amazon Cognito's \
          `NotAuthorizedException`); for everything else keep the tokens and try again with growing \
          pauses. Let the firewall pass the token endpoint.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Supply(
            "the app's log around a forced sign-out",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "geolens-io/geolens#2053",
        "ravenscar/franken-srp#13",
        "https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
    ],
};

pub(super) const BLANK: Cause = Cause {
    id: "TN0605",
    title: "an answer without a refresh token overwrites the stored one with nothing",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "Many issuers leave `refresh_token` out of the answer to a refresh, which means that the old \
            one stays good (RFC 6749, section 6). A client that maps the missing member to an empty \
            text stores that. The next refresh is sent empty, is refused, and the session is gone.",
    signs: &[
        (&logs::EMPTY_REFRESH, Strength::Marks),
        (&said::SENT_WITHOUT, Strength::Points),
        (&refreshes::BLANK_SUCCESSOR, Strength::Points),
        (&refreshes::NO_SUCCESSOR, Strength::Hints),
    ],
    against: &[],
    settled_by: &[&[&logs::EMPTY_REFRESH]],
    ruled_out_by: &[],
    fix: "Keep the stored refresh token when an answer brings none or a blank one, and read a blank \
          stored one as not signed in. Clear stores that hold a blank token already: those users have \
          to sign in once.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Supply(
            "the app's log of store writes, with lengths",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6749#section-6",
        "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html",
    ],
};

pub(super) const UNTOLD: Cause = Cause {
    id: "TN0611",
    title: "store and user interface disagree about being signed in",
    layer: Layer::Client,
    prior: Prior::Rare,
    story: "The session is kept in two places: the store, and what the user interface remembers. One \
            is cleared without the other, so the app looks signed in while its requests are refused, \
            or shows the login page to a user whose session is good. A store of several keys has the \
            same fault when one of them is missing and the rest is taken for no session.",
    signs: &[
        (&logged::CLEARED_ALONE, Strength::Marks),
        (&logs::CLEARED, Strength::Points),
        (&logs::KEY_MISSING, Strength::Suggests),
    ],
    against: &[(&logs::WIPED, Strength::Points)],
    settled_by: &[&[&logged::CLEARED_ALONE]],
    ruled_out_by: &[],
    fix: "One value that holds the session, with the user interface derived from it; whoever clears it \
          states a reason, and everybody hears of it. Write the parts of a session as one record.",
    next: &[Step::Supply(
        "the app's log of store reads, writes and redirects",
        "tenure doctor logs FILE",
    )],
    references: &["https://react.dev/learn/choosing-the-state-structure"],
};

pub(super) const LOGIN_LOOP: Cause = Cause {
    id: "TN0612",
    title: "the sign-in loops: `state` or redirect URI do not match",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "The browser comes back from the issuer, and the app cannot match the answer to the sign-in \
            that it began: the cookie with `state` did not come along (another host, path, scheme or \
            `SameSite`), or the redirect URI is not the registered one, byte by byte. The app starts \
            the sign-in again, and so on.",
    signs: &[
        (&sign_in::LOGIN_LOOP, Strength::Marks),
        (&sign_in::REDIRECT_URI_REFUSED, Strength::Marks),
        (&sign_in::STATE_FAILS, Strength::Points),
        (&sign_in::STATE_FAILS_EACH_TIME, Strength::Points),
    ],
    against: &[
        (&logs::IN_MEMORY, Strength::Suggests),
        (&probes::ACCEPTED, Strength::Points),
        (&token::EXPIRED, Strength::Hints),
    ],
    settled_by: &[
        &[&sign_in::REDIRECT_URI_REFUSED],
        &[&sign_in::STATE_FAILS_EACH_TIME],
        &[&sign_in::LOGIN_LOOP, &sign_in::STATE_FAILS_LOGGED],
    ],
    ruled_out_by: &[],
    fix: "Register the exact redirect URI that the app sends, and log it. Begin and end the sign-in on \
          one host and scheme; set the cookie with `Secure`, `Path=/` and `SameSite=Lax` (`None` where \
          the issuer answers with a POST), and let the proxy pass the scheme on.",
    next: &[
        Step::Probe(Probe::Hop(1)),
        Step::Probe(Probe::Hop(2)),
        Step::Probe(Probe::Hop(3)),
        Step::Supply(
            "a HAR of the sign-in with cookies",
            "tenure doctor logs FILE.har",
        ),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9700#section-4.7",
        "https://www.rfc-editor.org/rfc/rfc9700#section-4.1.3",
    ],
};
