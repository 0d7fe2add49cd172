//! Services whose statuses do not say what they seem to.

use super::signs;
use super::signs::services;
use crate::Prior::{Rare, Usual};
use crate::Strength::{Hints, Marks, Points, Suggests};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{probes, token};

pub(super) const SUPABASE: Cause = Cause {
    id: "TN0501",
    title: "Supabase Auth says 403 of a token that is expired, not readable or of an ended session",
    layer: Layer::Framework,
    prior: Usual,
    story: "Supabase Auth answers 403 with the code `bad_jwt` where other services say 401: the token is \
            expired, or cannot be verified. The same status stands for a session that was ended \
            (`session_not_found`, `session_expired`) and for a banned user. A client that refreshes on 401 \
            only never does; its user is told that a permission is missing, and signing in again helps.",
    signs: &[
        (&services::SUPABASE_403, Marks),
        (&signs::BAD_JWT_LOGGED, Points),
        (&token::EXPIRED, Hints),
    ],
    against: &[(&probes::ACCEPTED, Points)],
    settled_by: &[&[&services::SUPABASE_403]],
    ruled_out_by: &[],
    fix: "Decide by the body's `error_code`, not by the status: on `bad_jwt` refresh once and repeat the \
          request; on `session_not_found` and `session_expired` ask the user to sign in; on `user_banned` \
          say so and do not retry.",
    next: &[
        Step::Probe(Probe::Client),
        Step::Supply("the token that the client sends", "--token-file FILE"),
    ],
    references: &[
        "https://github.com/supabase/auth/blob/master/internal/api/auth.go",
        "https://github.com/supabase/auth/blob/master/internal/api/apierrors/errorcode.go",
    ],
};

pub(super) const POSTGREST: Cause = Cause {
    id: "TN0502",
    title: "PostgREST passes on that the database role lacks a right",
    layer: Layer::Application,
    prior: Usual,
    story: "PostgREST turns SQLSTATEs into statuses: 42501 (a right is missing, or a row-level policy \
            refuses) becomes 403 for a user who is signed in and 401 for the anonymous role; the classes 28, \
            0L and 0P become 403. The token was verified; what refuses is a GRANT or a policy of the \
            database, so neither refreshing nor signing in again helps.",
    signs: &[(&services::SQL_RIGHTS, Marks)],
    against: &[(&probes::ACCEPTED, Points)],
    settled_by: &[&[&services::SQL_RIGHTS]],
    ruled_out_by: &[],
    fix: "Look up the role that the token's `role` claim selects (the anonymous one where the token did not \
          arrive), and give it the right that `message` names: GRANT on the schema, the table and its \
          sequences, or a row-level policy for this command. Have PostgREST read its schema again afterwards.",
    next: &[Step::Probe(Probe::Client), Step::Probe(Probe::OtherToken)],
    references: &["https://docs.postgrest.org/en/stable/references/errors.html"],
};

pub(super) const OAUTH2_PROXY: Cause = Cause {
    id: "TN0503",
    title: "oauth2-proxy says 403, or sends to a login, where the bearer token is not good",
    layer: Layer::GatewayVerifier,
    prior: Usual,
    story: "oauth2-proxy makes a session of a bearer token only if it verifies. Where it does not, it \
            answers 403 `Forbidden` when invalid tokens are denied, and else goes on as if there were none: \
            a page to sign in (403) or a redirect. None of these is the 401 on which API clients refresh.",
    signs: &[
        (&signs::OAUTH2_PROXY_LOGGED, Marks),
        (&services::SIGN_IN_PAGE_403, Marks),
        (&services::DENIED_NOT_SENT_TO_LOGIN, Points),
        (&services::OAUTH2_PROXY_MARKS, Points),
    ],
    against: &[
        (&probes::ACCEPTED, Points),
        (&probes::SIGNATURE_PASSES, Suggests),
    ],
    settled_by: &[
        &[
            &services::OAUTH2_PROXY_MARKS,
            &services::DENIED_NOT_SENT_TO_LOGIN,
            &probes::FAILS_AS_FORGED,
        ],
        &[&signs::OAUTH2_PROXY_LOGGED, &probes::REFUSED_403],
        &[&services::SIGN_IN_PAGE_403],
    ],
    ruled_out_by: &[],
    fix: "Have the client refresh on 403 from this host too, and name the API's paths with `--api-route`, so \
          that they get 401 in place of a login. If fresh tokens are refused as well, compare \
          `--oidc-issuer-url`, `--extra-jwt-issuers` and the audience with the token.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Altered),
        Step::Supply("oauth2-proxy's log", "tenure doctor logs FILE"),
    ],
    references: &[
        "https://github.com/oauth2-proxy/oauth2-proxy/blob/master/pkg/middleware/jwt_session.go",
        "oauth2-proxy/oauth2-proxy#2918",
        "oauth2-proxy/oauth2-proxy#785",
        "oauth2-proxy/oauth2-proxy#2512",
        "vmware-tanzu/kubeapps#1281",
    ],
};

pub(super) const LOAD_BALANCER: Cause = Cause {
    id: "TN0516",
    title: "A rule of AWS' load balancer asks for a sign-in of its own",
    layer: Layer::Proxy,
    prior: Rare,
    story: "A listener rule of an Application Load Balancer can ask for a sign-in before anything is \
            forwarded. With the action `deny` for those who are not signed in, or when the identity \
            provider's answer does not fit, the load balancer says 401 itself; it looks for its own session \
            cookie, so a bearer token changes nothing.",
    signs: &[(&services::BALANCER_401, Marks)],
    against: &[(&probes::SIGNATURE_PASSES, Points)],
    settled_by: &[
        &[&services::BALANCER_401, &probes::DIRECT_ACCEPTED],
        &[
            &services::BALANCER_401,
            &probes::NEVER_EVALUATED,
            &token::IN_TIME,
        ],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Give the API's paths a listener rule of their own, of higher priority and without the \
          authenticate action; or set its behaviour for requests without a session to `allow` and verify \
          the token behind it. For people, compare issuer, client id and endpoints of the rule with the \
          identity provider.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::Direct),
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html",
    ],
};
