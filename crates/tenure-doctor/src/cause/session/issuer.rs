//! Sessions that end at the issuer, or that verifiers do not see end.

use super::signs::{logged, refreshes, said, still_accepted};
use super::texts;
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{drift, logs, probes, token};
use crate::weight::{Prior, Strength};

pub(super) const IN_MEMORY: Cause = Cause {
    id: "TN0606",
    title: "sessions or refresh tokens live in the memory of one process",
    layer: Layer::Store,
    prior: Prior::Usual,
    story: "The service keeps refresh tokens in a dictionary of its own process, often because it was \
            built without its cache and fell back without a word. A restart forgets all of them, and \
            another worker never knew them. Refreshes are answered 401 `Session expired` after a \
            deployment, or now and then, by which worker is met.",
    signs: &[
        (&logs::IN_MEMORY, Strength::Points),
        (&logged::LOST_FROM_MEMORY, Strength::Points),
        (&logged::UNKNOWN_TO_MEMORY, Strength::Marks),
        (&logged::WORKERS_DISAGREE_ON_REFRESH, Strength::Points),
        (&logged::REFRESHES_END_WITH_RESTART, Strength::Points),
        (&refreshes::REFRESH_FLIPS, Strength::Marks),
        (&logs::IN_ONE_PROCESS, Strength::Marks),
        (&logs::AFTER_RESTART, Strength::Hints),
        (&logged::COOKIE_FLIPS, Strength::Points),
    ],
    against: &[
        (&logs::RACE, Strength::Suggests),
        (&logs::NEVER_CALLED, Strength::Suggests),
    ],
    settled_by: &[
        &[&logged::LOST_FROM_MEMORY],
        &[&logs::IN_ONE_PROCESS],
        &[&logs::IN_MEMORY, &logs::AFTER_RESTART],
        &[&logs::IN_MEMORY, &logs::WORKERS_DISAGREE],
        &[
            &logged::REFRESHES_END_WITH_RESTART,
            &logged::WORKERS_DISAGREE_ON_REFRESH,
        ],
        &[&refreshes::REFRESH_FLIPS, &refreshes::FLIP_SAYS_UNKNOWN],
    ],
    ruled_out_by: &[],
    fix: "Give every process the same durable store, built once and handed to all who need it. Let the \
          service refuse to start without it instead of falling back, and restart it in a test that \
          refreshes before and after.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Probe(Probe::RefreshAgain(1)),
        Step::Probe(Probe::RefreshAgain(2)),
        Step::Supply(
            "the service's log with process ids, across a restart",
            "tenure doctor logs FILE",
        ),
    ],
    references: &["https://expressjs.com/en/resources/middleware/session.html"],
};

pub(super) const DEVICE: Cause = Cause {
    id: "TN0607",
    title: "Amazon Cognito tracks devices, and the refresh leaves the device key out",
    layer: Layer::Issuer,
    prior: Prior::Rare,
    story: "With device tracking, a refresh token belongs to the device that it was issued to, and \
            Amazon Cognito wants `DEVICE_KEY` beside it. Without it, the very first refresh after a \
            sign-in is answered `NotAuthorizedException: Invalid Refresh Token.`, as if the token were \
            wrong.",
    signs: &[
        (&refreshes::DEVICE_TRACKED, Strength::Suggests),
        (&refreshes::COGNITO_REFUSES, Strength::Points),
    ],
    against: &[
        (&texts::COGNITO_REVOKED, Strength::Points),
        (&drift::CLIENTS_DIFFER, Strength::Suggests),
    ],
    settled_by: &[&[&refreshes::DEVICE_TRACKED, &refreshes::COGNITO_REFUSES]],
    ruled_out_by: &[],
    fix: "Keep the `DeviceKey` of the sign-in's `NewDeviceMetadata` and send it as `DEVICE_KEY` with \
          each refresh, or turn device tracking off in the user pool.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Supply(
            "the user pool's `DeviceConfiguration`",
            "tenure doctor drift aws/cognito-idp/DescribeUserPool.json",
        ),
    ],
    references: &["aws/aws-sdk-cpp#851", "aws/aws-sdk-java-v2#3418"],
};

pub(super) const CLIENT_GONE: Cause = Cause {
    id: "TN0608",
    title: "the client is not known at the issuer any more",
    layer: Layer::Issuer,
    prior: Prior::Usual,
    story: "The client was deleted and made anew, by hand or by a template whose change replaces it, and \
            got another id. Apps in the field still name the old one: sign-ins and refreshes are \
            answered `ResourceNotFoundException` or `invalid_client`, while access tokens that are out \
            stay good until they expire.",
    signs: &[
        (&refreshes::POOL_CLIENT_GONE, Strength::Marks),
        (&texts::POOL_CLIENT, Strength::Points),
        (&texts::RESOURCE_NOT_FOUND, Strength::Points),
        (&texts::INVALID_CLIENT, Strength::Points),
        (&said::CLIENT_UNKNOWN, Strength::Points),
        (&drift::CLIENTS_DIFFER, Strength::Suggests),
    ],
    against: &[],
    settled_by: &[
        &[&texts::POOL_CLIENT, &texts::RESOURCE_NOT_FOUND],
        &[&refreshes::POOL_CLIENT_GONE],
        &[&said::CLIENT_NAMED_UNKNOWN],
        &[&texts::INVALID_CLIENT, &said::CLIENT_UNKNOWN],
    ],
    ruled_out_by: &[],
    fix: "Ship a build with the new client id, or restore the old client where the issuer can. Protect \
          the client from being replaced (`DeletionPolicy: Retain`) and read its id from one place. \
          Where the answer is `invalid_client`, compare the secret too.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Supply(
            "the app's configuration and the issuer's list of clients",
            "tenure doctor drift FILE",
        ),
    ],
    references: &["aws-amplify/amplify-flutter#740", "aws/aws-sdk-php#2183"],
};

pub(super) const STILL_ACCEPTED: Cause = Cause {
    id: "TN0609",
    title: "the session is over at the issuer, and the API still takes its token",
    layer: Layer::GatewayVerifier,
    prior: Prior::Rare,
    story: "A sign-out everywhere ends sessions at the issuer. A verifier that only checks signature and \
            expiry does not hear of it and takes the access token until it expires, while refreshes, \
            userinfo and introspection say that it is over. The user is half signed in: some calls \
            work, and the next refresh ends it.",
    signs: &[
        (&still_accepted::ACCEPTED_THOUGH_INACTIVE, Strength::Marks),
        (
            &still_accepted::ACCEPTED_THOUGH_NO_USERINFO,
            Strength::Suggests,
        ),
        (&still_accepted::ACCEPTED_THOUGH_ENDED, Strength::Marks),
        (&texts::COGNITO_REVOKED, Strength::Suggests),
        (&still_accepted::ACCEPTED_THOUGH_REVOKED, Strength::Marks),
    ],
    against: &[(&probes::REFUSED_401, Strength::Points)],
    settled_by: &[
        &[
            &still_accepted::ACCEPTED_THOUGH_ENDED,
            &still_accepted::ACCEPTED_THOUGH_INACTIVE,
        ],
        &[
            &still_accepted::ACCEPTED_THOUGH_ENDED,
            &still_accepted::ACCEPTED_THOUGH_NO_USERINFO,
        ],
        &[
            &still_accepted::ACCEPTED_THOUGH_ENDED,
            &texts::COGNITO_REVOKED,
        ],
        &[&still_accepted::ACCEPTED_THOUGH_REVOKED],
        &[
            &still_accepted::ACCEPTED_THOUGH_INACTIVE,
            &still_accepted::ACCEPTED_THOUGH_NO_USERINFO,
            &still_accepted::FOR_USERINFO,
        ],
    ],
    ruled_out_by: &[&token::EXPIRED],
    fix: "Decide how long a token may outlive its session and make access tokens no longer than that. \
          Where it has to be at once, let the verifier ask (introspection, RFC 7662) or be told (a \
          revocation feed), and let clients take a refused refresh as the end.",
    next: &[
        Step::Probe(Probe::Introspection),
        Step::Probe(Probe::Userinfo),
        Step::Probe(Probe::Refresh),
    ],
    references: &[
        "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GlobalSignOut.html",
        "https://www.rfc-editor.org/rfc/rfc7662",
    ],
};

pub(super) const OVER: Cause = Cause {
    id: "TN0610",
    title: "the session is over at the issuer: its idle limit, its lifetime, or an end there",
    layer: Layer::Issuer,
    prior: Prior::Usual,
    story: "Issuers end sessions that nobody refreshed for their idle limit, and all sessions at their \
            lifetime. Where the limit is shorter than the pauses of the users (half an hour in a fresh \
            Keycloak realm), everybody who comes back later has to sign in, and the log says `Token is \
            not active` or `Session not active`.",
    signs: &[
        (&said::IDLE_SAID, Strength::Suggests),
        (&said::IDLE_SAID_OF_REFRESH, Strength::Marks),
        (&said::SESSION_GONE_SAID, Strength::Points),
        (&said::ENDED_SAID, Strength::Points),
        (&said::ENDED_ALONE, Strength::Suggests),
        (&said::NOT_TAKEN_SAID, Strength::Suggests),
        (&logs::AFTER_PAUSE, Strength::Marks),
    ],
    against: &[
        (&logs::AFTER_RESTART, Strength::Points),
        (&logs::IN_MEMORY, Strength::Suggests),
        (&logs::RACE, Strength::Suggests),
    ],
    settled_by: &[
        &[&said::IDLE_SAID_OF_REFRESH],
        &[&said::SESSION_GONE_ALONE],
        &[&said::ENDED_ALONE],
        &[&logs::AFTER_PAUSE, &logged::REFRESHES_REFUSED],
    ],
    ruled_out_by: &[],
    fix: "Set the idle limit and the lifetime of sessions to what users expect (Keycloak: SSO Session \
          Idle and Max, and the client's own overrides, which must not be shorter), or have the app \
          refresh more often than the idle limit. Sessions that are over stay over.",
    next: &[
        Step::Probe(Probe::Refresh),
        Step::Supply(
            "the token endpoint's log over some days",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "keycloak/keycloak#30452",
        "keycloak/keycloak#39266",
        "oauth2-proxy/oauth2-proxy#1945",
    ],
};

pub(super) const WAIT_PERIOD: Cause = Cause {
    id: "TN0613",
    title: "the verifier waits before it asks for keys again, and refuses meanwhile",
    layer: Layer::Framework,
    prior: Prior::Rare,
    story: "After a fetch of keys that failed or did not bring the token's key, aws-jwt-verify does not \
            ask again for ten seconds and throws `WaitPeriodNotYetEndedJwkError`. Applications show it \
            as 401, so good tokens are refused for those seconds, often right after a cold start.",
    signs: &[(&said::WAIT_PERIOD, Strength::Marks)],
    against: &[],
    settled_by: &[&[&said::WAIT_PERIOD]],
    ruled_out_by: &[],
    fix: "Load the keys before the first request (`hydrate()` or `cacheJwks()`), answer 503 for this \
          error instead of 401, and find out why the fetch before it failed.",
    next: &[
        Step::Probe(Probe::Again(1)),
        Step::Supply("the verifier's log", "tenure doctor logs FILE"),
    ],
    references: &["https://github.com/awslabs/aws-jwt-verify/blob/main/src/jwk.ts"],
};
