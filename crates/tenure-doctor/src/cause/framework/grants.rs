//! Scopes and roles.

use super::grant::asked;
use super::signs::forgery;
use super::{grant, signs};
use crate::Prior::{Common, Usual};
use crate::Strength::{Hints, Marks, Points, Suggests};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{answer, drift, probes, token};

pub(super) const LACKING: Cause = Cause {
    id: "TN0513",
    title: "The token lacks the scope or role that the endpoint asks for",
    layer: Layer::Application,
    prior: Common,
    story: "The token is good: its signature is verified, and an altered one is refused in other words. What \
            it says is not enough for this endpoint. A token of somebody who has the right is accepted; \
            refreshing or signing in again changes nothing as long as nobody grants it.",
    signs: &[
        (&answer::INSUFFICIENT_SCOPE, Points),
        (&grant::OTHER_CARRIES_MORE, Points),
        (&grant::REQUIRED_IS_LACKING, Points),
        (&grant::OTHER_PERSON_MAY, Suggests),
        (&grant::PERMISSION_WORDS, Suggests),
        (&grant::LACKING_BROWSED, Marks),
        (&asked::ASKED_LACKING, Points),
        (&probes::SIGNATURE_PASSES, Suggests),
        (&probes::REFUSED_403, Hints),
        (&probes::OTHER_TOKEN_ACCEPTED, Hints),
        (&probes::OTHER_ENDPOINT_ACCEPTED, Hints),
        (&grant::GRANTS_NOTHING, Hints),
        (&forgery::WRITES_REFUSED, Hints),
    ],
    against: &[
        (&signs::ANSWERED_IN_FRONT, Points),
        (&probes::NEVER_EVALUATED, Marks),
        (&probes::FAILS_AS_FORGED, Points),
        (&probes::AS_WITHOUT_TOKEN, Suggests),
        (&probes::FLIPS, Points),
        (&token::EXPIRED, Suggests),
        (&drift::ISSUERS_DIFFER, Suggests),
        (&drift::AUDIENCES_DIFFER, Suggests),
        (&probes::REFUSED_401, Suggests),
        (&grant::REQUIRED_IS_HELD, Points),
        (&forgery::CSRF_REFUSAL, Points),
    ],
    settled_by: &[
        &[
            &answer::INSUFFICIENT_SCOPE,
            &grant::REQUIRED_IS_LACKING,
            &probes::REFUSED_403,
        ],
        &[
            &answer::INSUFFICIENT_SCOPE,
            &grant::OTHER_CARRIES_MORE,
            &probes::REFUSED_403,
        ],
        &[
            &grant::REQUIRED_IS_LACKING,
            &probes::SIGNATURE_PASSES,
            &probes::REFUSED_403,
            &token::IN_TIME,
        ],
        &[
            &grant::OTHER_CARRIES_MORE,
            &grant::PERMISSION_WORDS,
            &probes::SIGNATURE_PASSES,
            &probes::REFUSED_403,
            &token::IN_TIME,
        ],
        &[
            &asked::ASKED_LACKING,
            &grant::OTHER_CARRIES_MORE,
            &probes::SIGNATURE_PASSES,
            &token::IN_TIME,
        ],
        &[
            &grant::OTHER_PERSON_MAY,
            &grant::PERMISSION_WORDS,
            &probes::SIGNATURE_PASSES,
            &probes::REFUSED_403,
            &token::IN_TIME,
        ],
    ],
    ruled_out_by: &[
        &probes::ACCEPTED,
        &probes::FRESH_ACCEPTED,
        &grant::NEWER_HAS_MORE,
        &grant::REQUIRED_IS_HELD,
    ],
    fix: "Grant the right where roles are kept, or have the client ask for the scope when it signs in \
          (scopes that were not asked for are not in the token). Then refresh or sign in again: tokens that \
          are out already stay as they are. If the user must not have the right, show a message in place of \
          a sign-in.",
    next: &[
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::OtherToken),
        Step::Supply("the token that the client sends", "--token-file FILE"),
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6750#section-3.1",
        "https://github.com/spring-projects/spring-security/blob/main/oauth2/oauth2-resource-server/src/main/java/org/springframework/security/oauth2/server/resource/web/access/BearerTokenAccessDeniedHandler.java",
    ],
};

pub(super) const STALE: Cause = Cause {
    id: "TN0514",
    title: "The right was granted after the token was issued, which does not have it yet",
    layer: Layer::Client,
    prior: Usual,
    story: "Roles and scopes stand in the token as they were when it was issued. A right that was granted \
            since is missing until the next refresh, and one that was taken away stays until then. The \
            same user's newer token is accepted.",
    signs: &[
        (&grant::NEWER_CARRIES_MORE, Marks),
        (&grant::NEWER_HAS_MORE, Points),
        (&grant::GRANTED_SINCE, Points),
        (&grant::ISSUER_KNOWS_MORE, Points),
        (&grant::REFRESH_WORKS, Hints),
        (&grant::ISSUED_LONG_AGO, Hints),
        (&answer::INSUFFICIENT_SCOPE, Hints),
        (&probes::SIGNATURE_PASSES, Hints),
        (&probes::REFUSED_403, Hints),
    ],
    against: &[
        (&signs::ANSWERED_IN_FRONT, Points),
        (&probes::NEVER_EVALUATED, Marks),
        (&probes::FAILS_AS_FORGED, Points),
        (&probes::FLIPS, Suggests),
        (&token::EXPIRED, Suggests),
        (&grant::OTHER_CARRIES_MORE, Suggests),
        (&probes::REFUSED_401, Suggests),
    ],
    settled_by: &[&[&grant::NEWER_CARRIES_MORE, &probes::REFUSED_403]],
    ruled_out_by: &[&probes::ACCEPTED, &probes::FRESH_ACCEPTED],
    fix: "Refresh after a right has changed: let the server tell its clients (a push, a header, a version in \
          the session), or keep access tokens short. For what must take effect at once, ask the store at \
          each request in place of the token.",
    next: &[
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::Userinfo),
        Step::Probe(Probe::Introspection),
        Step::Supply(
            "a token of the same user that was just issued",
            "--other-token-file FILE",
        ),
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3"],
};

pub(super) const ELSEWHERE: Cause = Cause {
    id: "TN0515",
    title: "The service looks for roles in another claim than the one in which they stand",
    layer: Layer::Application,
    prior: Usual,
    story: "The token does carry the role, but elsewhere: Keycloak writes `realm_access.roles` or \
            `resource_access.CLIENT.roles`, Amazon Cognito `cognito:groups`, Auth0 a claim of its own name, \
            while the service reads `roles` or `scope`. So everybody is refused, those who have the role \
            included.",
    signs: &[
        (&grant::REQUIRED_IS_HELD, Marks),
        (&asked::ASKED_ELSEWHERE, Marks),
        (&grant::SPRING_READS_SCOPES, Points),
        (&grant::MORE_ROLES_REFUSED, Points),
        (&grant::ROLES_ELSEWHERE, Suggests),
        (&answer::INSUFFICIENT_SCOPE, Hints),
        (&grant::PERMISSION_WORDS, Hints),
        (&probes::SIGNATURE_PASSES, Suggests),
        (&probes::REFUSED_403, Hints),
    ],
    against: &[
        (&signs::ANSWERED_IN_FRONT, Points),
        (&probes::NEVER_EVALUATED, Marks),
        (&probes::FAILS_AS_FORGED, Points),
        (&probes::OTHER_TOKEN_ACCEPTED, Points),
        (&token::EXPIRED, Suggests),
        (&grant::GRANTS_NOTHING, Points),
        (&grant::REQUIRED_IS_LACKING, Points),
        (&probes::REFUSED_401, Suggests),
    ],
    settled_by: &[
        &[
            &grant::REQUIRED_IS_HELD,
            &probes::SIGNATURE_PASSES,
            &probes::REFUSED_403,
            &token::IN_TIME,
        ],
        &[
            &asked::ASKED_ELSEWHERE,
            &grant::PERMISSION_WORDS,
            &probes::SIGNATURE_PASSES,
            &probes::REFUSED_403,
            &token::IN_TIME,
        ],
        &[
            &asked::ASKED_ELSEWHERE,
            &signs::CLAIM_UNMATCHED,
            &probes::SIGNATURE_PASSES,
            &token::IN_TIME,
        ],
    ],
    ruled_out_by: &[
        &probes::ACCEPTED,
        &probes::FRESH_ACCEPTED,
        &grant::NEWER_CARRIES_MORE,
    ],
    fix: "Name the claim where the service reads it (Spring: a `JwtGrantedAuthoritiesConverter` with the \
          claim and prefix; others: the roles claim of the middleware), or have the issuer write the roles \
          where they are read, with a mapper. Mind the prefix (`ROLE_`, `SCOPE_`) and the letters' case.",
    next: &[
        Step::Supply("the token that the client sends", "--token-file FILE"),
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::Altered),
    ],
    references: &[
        "https://docs.spring.io/spring-security/reference/servlet/oauth2/resource-server/jwt.html#oauth2resourceserver-jwt-authorization-extraction",
        "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html",
    ],
};
