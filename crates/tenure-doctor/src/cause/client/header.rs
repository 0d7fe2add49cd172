//! How the client writes its Authorization header.

use crate::cause::client::signs::{self, carriers, scheme, spoiled, word};
use crate::cause::client::{browsed, presented};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{logs, probes, token};
use crate::{Prior, Strength};

pub(super) const NEVER_ATTACHED: Cause = Cause {
    id: "TN0101",
    title: "requests go out without a token, before the stored session has been read",
    layer: Layer::Client,
    prior: Prior::Common,
    story: "An app reads its stored session after it has started, and that takes time: a keychain, a disk, \
            a decryption. Screens that load at once ask for a token meanwhile, get none, and send their \
            requests without an Authorization header. The API refuses them as it has to; a moment later \
            the same requests work. If the app takes these refusals for the end of the session, it signs \
            the user out with a good token in its store.",
    signs: &[
        (&logs::BEFORE_RESTORE, Strength::Marks),
        (&browsed::TOKEN_CAME_LATER, Strength::Marks),
        (&browsed::TOKEN_FOR_OTHERS, Strength::Points),
        (&word::SENT_WITHOUT_TOKEN, Strength::Hints),
    ],
    against: &[
        (&probes::FAILS_AS_FORGED, Strength::Suggests),
        (&probes::SIGNATURE_PASSES, Strength::Suggests),
    ],
    settled_by: &[&[&logs::BEFORE_RESTORE], &[&browsed::TOKEN_CAME_LATER]],
    ruled_out_by: &[],
    fix: "Let requests wait for one promise, `session restored`, which every caller shares, and give them \
          an error of its own (not a 401) where there is no session. Do not sign out for the refusal of \
          a request that carried no token. Tenure's client does both.",
    next: &[
        Step::Supply(
            "the client's log or a HAR with sensitive data, from the start of the app",
            "--logs app.log",
        ),
        Step::Probe(Probe::Echo),
    ],
    references: &["mozilla/delivery-console#248", "RFC 6750, section 2.1"],
};

pub(super) const WORD_IN_PLACE: Cause = Cause {
    id: "TN0102",
    title: "`undefined`, `null` or nothing is sent in place of the token",
    layer: Layer::Client,
    prior: Prior::Common,
    story: "The header is built by joining `Bearer ` with a variable that has no value yet, or no longer: \
            after a sign-out, under another storage key, from a template that was not filled in. The \
            language makes a word of it, and the API gets `Bearer undefined`. It answers like to any \
            text that is no token, with a parse error or its usual refusal.",
    signs: &[
        (&word::WORD_SENT, Strength::Marks),
        (&word::WORD_LOGGED, Strength::Marks),
        (&browsed::WORD_BROWSED, Strength::Marks),
        (&word::AS_UNDEFINED, Strength::Suggests),
        (&presented::NOT_A_JWT, Strength::Hints),
    ],
    against: &[
        (&token::IN_TIME, Strength::Points),
        (&token::EXPIRED, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Points),
    ],
    settled_by: &[
        &[&word::WORD_SENT],
        &[&browsed::WORD_BROWSED],
        &[&word::WORD_LOGGED, &logs::REFUSALS],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Build the header only where there is a token, and fail in the client where there is none. Look \
          for the place where the value is read: a storage key that was renamed, a promise that was not \
          awaited, an environment variable that is missing in this build.",
    next: &[
        Step::Supply("the token as the client sends it", "--token-file FILE"),
        Step::Probe(Probe::Garbage),
        Step::Probe(Probe::Undefined),
        Step::Supply(
            "the client's log or a HAR with sensitive data",
            "--logs app.har",
        ),
    ],
    references: &[
        "CDCgov/prime-reportstream#4980",
        "department-of-veterans-affairs/vets-website#3834",
    ],
};

pub(super) const OTHER_SCHEME: Cause = Cause {
    id: "TN0103",
    title: "the token is sent without a scheme, or with another than the API reads",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "A bearer token stands after `Bearer ` in the Authorization header (RFC 6750, section 2.1). A \
            client that sends the bare token, or `Token` or `JWT` before it, is not understood: most \
            verifiers behave as if there were no token. The other way round it happens with APIs of \
            their own kind, which take the whole header for the token and find `Bearer` in it. Some HTTP \
            libraries put a password in the token's place: Python's requests does so for every host that \
            `.netrc` names, whatever the header was set to.",
    signs: &[
        (&scheme::BEARER_TURNS, Strength::Marks),
        (&scheme::OTHER_SCHEME_WANTED, Strength::Marks),
        (&scheme::OTHER_SCHEME_SENT, Strength::Points),
        (&scheme::OTHER_SCHEME_ASKED, Strength::Points),
        (&scheme::PASSWORD_IN_PLACE, Strength::Marks),
        (&scheme::SCHEME_NAMED, Strength::Points),
        (&scheme::NOT_DECODED, Strength::Points),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
        (&browsed::SCHEME_BROWSED, Strength::Marks),
        (&scheme::OTHER_SPELLING_UNREAD, Strength::Suggests),
        (&probes::AS_WITHOUT_TOKEN, Strength::Hints),
    ],
    against: &[
        (&spoiled::TRIMMED_REFUSED, Strength::Points),
        (&scheme::SCHEMES_TRIED, Strength::Suggests),
    ],
    settled_by: &[
        &[&scheme::BEARER_TURNS],
        &[&scheme::OTHER_SCHEME_ALONE],
        &[&scheme::PASSWORD_IN_PLACE],
        &[&browsed::SCHEME_BROWSED],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Send `Authorization: Bearer <token>`. Where the SDK adds the scheme itself, hand it the token \
          alone; where it does not, add it in one place. Where a password is sent in its place, take the host out of \
          `.netrc` or let the library not read it (requests: `trust_env = False`, or `auth=` with the token).",
    next: &[
        Step::Probe(Probe::Trimmed),
        Step::Probe(Probe::Raw),
        Step::Probe(Probe::TokenScheme),
    ],
    references: &[
        "RFC 6750, section 2.1",
        "https://github.com/Kong/kong/blob/master/kong/plugins/jwt/handler.lua",
        "https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication",
    ],
};

pub(super) const CASE_SENSITIVE: Cause = Cause {
    id: "TN0104",
    title: "the API compares the scheme with capitals and small letters, and the client writes it otherwise",
    layer: Layer::Framework,
    prior: Prior::Usual,
    story: "The name of an authentication scheme has no case (RFC 9110, section 11.1). Some verifiers look \
            for exactly `Bearer ` all the same, and find no token behind `bearer`. Clients that copy \
            `token_type` of the token answer, which many issuers write in small letters, are refused, \
            while all others work.",
    signs: &[
        (&scheme::CASE_TURNS, Strength::Marks),
        (&scheme::OTHER_CASE_SENT, Strength::Points),
        (&browsed::CASE_BROWSED, Strength::Marks),
        (&scheme::CASE_MATTERS, Strength::Suggests),
        (&scheme::SCHEME_NAMED, Strength::Suggests),
        (&scheme::OTHER_SPELLING_UNREAD, Strength::Suggests),
    ],
    against: &[
        (&spoiled::TRIMMED_REFUSED, Strength::Points),
        (&scheme::CASES_TRIED, Strength::Suggests),
    ],
    settled_by: &[&[&scheme::CASE_TURNS], &[&browsed::CASE_BROWSED]],
    ruled_out_by: &[],
    fix: "Compare the scheme without regard to case in the API. Until that is out, let the client write \
          `Bearer` instead of what `token_type` says.",
    next: &[
        Step::Probe(Probe::Trimmed),
        Step::Probe(Probe::Lower),
        Step::Probe(Probe::Upper),
    ],
    references: &[
        "RFC 9110, section 11.1",
        "https://github.com/Dunklas/tower-oauth2-resource-server",
        "https://github.com/ory/oathkeeper/blob/master/helper/bearer.go",
    ],
};

pub(super) const SPOILED: Cause = Cause {
    id: "TN0105",
    title: "the token carries what does not belong to it: quotes, blanks, a second scheme, another encoding",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "Between issuer and header a token passes stores, environment variables and URLs. One of them \
            adds something: JSON quotes, a line break at its end, `Bearer ` once more, percent-encoding, \
            base64. A verifier compares bytes, so nothing of it is forgiven: the signature does not fit, \
            or the text is no token at all.",
    signs: &[
        (&spoiled::CLEANING_TURNS, Strength::Marks),
        (&browsed::SPOILED_BROWSED, Strength::Marks),
        (&scheme::SCHEME_ADDED, Strength::Marks),
        (&spoiled::SPOILED, Strength::Points),
        (&token::BLEMISHED, Strength::Suggests),
        (&token::BROKEN, Strength::Suggests),
        (&presented::NOT_A_JWT, Strength::Hints),
    ],
    against: &[
        (&token::CUT_OFF, Strength::Points),
        (&spoiled::TRIMMED_REFUSED, Strength::Points),
        (&probes::AS_WITHOUT_TOKEN, Strength::Suggests),
    ],
    settled_by: &[
        &[&spoiled::CLEANING_TURNS],
        &[&browsed::SPOILED_BROWSED],
        &[&scheme::SCHEME_ADDED],
        &[&spoiled::SPOILED, &spoiled::READ_AND_REFUSED],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Store the token as it came, in one form, and trim what is read from files and variables. Look \
          at both ends of the store: `JSON.stringify` without `JSON.parse`, `echo` without `-n`, an \
          encoding that is applied twice, a scheme that is added by the caller and by the SDK.",
    next: &[
        Step::Probe(Probe::Trimmed),
        Step::Supply("the token as the client sends it", "--token-file FILE"),
    ],
    references: &[
        "https://repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized",
        "RFC 7515, section 2",
    ],
};

pub(super) const TWO_TOKENS: Cause = Cause {
    id: "TN0106",
    title: "the request carries two tokens",
    layer: Layer::Client,
    prior: Prior::Rare,
    story: "A client must not use more than one way to send a token in a request (RFC 6750, section 2). \
            When a header is added to a request that has `access_token` in its query already, or a \
            session cookie beside it, strict verifiers refuse the whole, each in its own words and with \
            400 or 401, whatever the tokens are worth.",
    signs: &[
        (&signs::MULTIPLE_TOKENS_KONG, Strength::Marks),
        (&signs::MULTIPLE_TOKENS_SPRING, Strength::Marks),
        (&signs::MULTIPLE_TOKENS_AUTH0, Strength::Marks),
        (&carriers::ONE_CARRIER_TURNS, Strength::Points),
        (&carriers::TOKEN_IN_QUERY_TOO, Strength::Suggests),
        (&carriers::TWO_CARRIERS, Strength::Suggests),
        (&carriers::INVALID_REQUEST, Strength::Suggests),
    ],
    against: &[],
    settled_by: &[
        &[&signs::MULTIPLE_TOKENS_KONG],
        &[&signs::MULTIPLE_TOKENS_SPRING],
        &[&signs::MULTIPLE_TOKENS_AUTH0],
        &[&carriers::TWO_CARRIERS, &carriers::INVALID_REQUEST],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Send the token in the Authorization header alone: take it out of the query, and keep the session \
          cookie of the web pages away from the API (its own host, or `credentials: \"omit\"`).",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Supply(
            "the request as it is sent: a HAR with sensitive data",
            "--logs app.har",
        ),
    ],
    references: &[
        "RFC 6750, section 2",
        "https://github.com/Kong/kong/blob/master/kong/plugins/jwt/handler.lua",
        "https://github.com/auth0/node-oauth2-jwt-bearer/blob/main/packages/oauth2-bearer/src/get-token.ts",
        "https://github.com/pomerium/pomerium/blob/main/authorize/grpc.go",
    ],
};
