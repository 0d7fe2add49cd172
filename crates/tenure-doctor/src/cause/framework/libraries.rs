//! Libraries and frameworks whose statuses do not say what they seem to.

use super::signs::forgery;
use super::signs::libraries;
use super::signs::spring;
use super::{grant, signs};
use crate::Prior::{Rare, Usual};
use crate::Strength::{Hints, Marks, Points, Suggests};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{answer, drift, keys, probes, token};

pub(super) const FASTAPI: Cause = Cause {
    id: "TN0504",
    title: "FastAPI before 0.122 says 403 where credentials are missing",
    layer: Layer::Framework,
    prior: Usual,
    story: "FastAPI's `HTTPBearer` and its relatives answered a request without an Authorization header, or \
            with another scheme, with 403 until version 0.122, which answers 401. A client that signs in or \
            refreshes on 401 only shows its user a missing permission instead.",
    signs: &[
        (&libraries::FASTAPI_403, Marks),
        (&libraries::FASTAPI_403_BARE, Suggests),
        (&signs::SENDS_NO_TOKEN, Suggests),
    ],
    against: &[(&probes::AS_WITHOUT_TOKEN, Points)],
    settled_by: &[
        &[&libraries::FASTAPI_403_BARE, &libraries::FASTAPI_PINNED],
        &[&libraries::FASTAPI_403, &signs::SENDS_NO_TOKEN],
    ],
    ruled_out_by: &[],
    fix: "Upgrade FastAPI to 0.122 or later; or give the security class a `make_not_authenticated_error` of \
          your own that returns 401 with `WWW-Authenticate: Bearer`. Until then let clients treat this body \
          like a 401. Where the token is sent and this is the answer all the same, find out who takes the \
          header away.",
    next: &[Step::Probe(Probe::Bare), Step::Probe(Probe::Echo)],
    references: &["https://fastapi.tiangolo.com/how-to/authentication-error-status-code/"],
};

pub(super) const DJANGO_REST: Cause = Cause {
    id: "TN0505",
    title: "Django REST framework says 403 for 401, by the order of its authentication classes",
    layer: Layer::Framework,
    prior: Usual,
    story: "Django REST framework asks its first authentication class for a challenge. If that one has none \
            (`SessionAuthentication`), a request without credentials, or with bad ones, is answered with 403 \
            in place of 401, whatever classes follow. Clients that refresh on 401 never do.",
    signs: &[
        (&libraries::DRF_403, Marks),
        (&libraries::DRF_INVALID_403, Marks),
        (&signs::SENDS_NO_TOKEN, Suggests),
    ],
    against: &[(&probes::AS_WITHOUT_TOKEN, Points)],
    settled_by: &[
        &[
            &libraries::DRF_403,
            &signs::NOT_AS_BARE,
            &grant::NOT_ABOUT_RIGHTS,
        ],
        &[&libraries::DRF_403, &signs::SENDS_NO_TOKEN],
        &[&libraries::DRF_INVALID_403],
    ],
    ruled_out_by: &[],
    fix: "Put the class that reads the token first in `DEFAULT_AUTHENTICATION_CLASSES` (or in the view's \
          `authentication_classes`), and see that it has `authenticate_header`. The session class may follow \
          it.",
    next: &[Step::Probe(Probe::Bare), Step::Probe(Probe::Echo)],
    references: &[
        "https://www.django-rest-framework.org/api-guide/authentication/#unauthorized-and-forbidden-responses",
        "encode/django-rest-framework#5968",
        "encode/django-rest-framework#3942",
        "encode/django-rest-framework#4450",
        "encode/django-rest-framework#9692",
    ],
};

pub(super) const SPRING_ERROR: Cause = Cause {
    id: "TN0506",
    title: "Spring guards its error page, and another error looks like 401 or 403",
    layer: Layer::Framework,
    prior: Usual,
    story: "When a controller fails or finds nothing, Spring forwards the request to `/error`. The security \
            chain judges that dispatch again, without the token's identity, and refuses it: the client sees \
            401 or 403 without a body, and the real 404, 400 or 500 is in the log only. Other endpoints \
            accept the same token.",
    signs: &[
        (&signs::ERROR_SECURED_GET, Marks),
        (&signs::ERROR_SECURED_POST, Marks),
        (&spring::VERIFIED_THEN_NOBODY, Points),
        (&signs::SERVLET_FAILED, Points),
        (&signs::NO_RESOURCE, Suggests),
        (&spring::SPRING_MARKS, Suggests),
        (&spring::SILENT_401, Suggests),
        (&probes::OTHER_ENDPOINT_ACCEPTED, Suggests),
        (&signs::EMPTY_BODY, Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Points),
        (&probes::FAILS_AS_FORGED, Points),
        (&token::EXPIRED, Points),
        (&answer::INSUFFICIENT_SCOPE, Suggests),
        (&signs::ANSWERED_IN_FRONT, Points),
    ],
    settled_by: &[
        &[
            &spring::VERIFIED_THEN_NOBODY,
            &spring::SPRING_MARKS,
            &probes::OTHER_ENDPOINT_ACCEPTED,
        ],
        &[
            &spring::SILENT_401,
            &spring::SPRING_MARKS,
            &probes::SIGNATURE_PASSES,
            &probes::OTHER_ENDPOINT_ACCEPTED,
        ],
        &[
            &spring::SILENT_401,
            &signs::SERVLET_FAILED,
            &probes::OTHER_ENDPOINT_ACCEPTED,
        ],
        &[&signs::ERROR_SECURED_GET, &spring::VERIFIED_THEN_NOBODY],
        &[&signs::ERROR_SECURED_GET, &probes::OTHER_ENDPOINT_ACCEPTED],
        &[&signs::ERROR_SECURED_POST, &probes::OTHER_ENDPOINT_ACCEPTED],
    ],
    ruled_out_by: &[],
    fix: "Permit the error dispatch: `dispatcherTypeMatchers(DispatcherType.ERROR).permitAll()`, or `/error` \
          itself. Then read the real error, which the client sees from then on, and mend that.",
    next: &[
        Step::Probe(Probe::OtherEndpoint),
        Step::Probe(Probe::OtherPath),
        Step::Supply(
            "the service's log, with org.springframework.security at DEBUG",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "spring-projects/spring-security#12453",
        "spring-projects/spring-security#14481",
        "spring-projects/spring-security#12771",
    ],
};

pub(super) const FORGERY_TOKEN: Cause = Cause {
    id: "TN0507",
    title: "The protection against forged requests (CSRF) refuses what writes",
    layer: Layer::Framework,
    prior: Usual,
    story: "Reading works and writing is refused with 403, with any token: the framework asks requests that \
            write for a second token which only its own pages have. It does so before it looks at the \
            Authorization header. For an API without cookies the protection has no purpose: a browser adds \
            no bearer token by itself.",
    signs: &[
        (&forgery::CSRF_REFUSAL, Marks),
        (&forgery::CSRF_BROWSED, Marks),
        (&forgery::CSRF_WRITES_LOGGED, Marks),
        (&forgery::CSRF_BY_ORIGIN, Marks),
        (&forgery::CSRF_LOGGED, Points),
        (&forgery::WRITES_REFUSED, Points),
        (&forgery::WRITES, Hints),
    ],
    against: &[
        (&probes::SIGNATURE_PASSES, Points),
        (&signs::ANSWERED_IN_FRONT, Points),
        (&answer::INSUFFICIENT_SCOPE, Points),
        (&probes::ACCEPTED, Points),
    ],
    settled_by: &[
        &[&forgery::CSRF_REFUSAL],
        &[&forgery::CSRF_BROWSED],
        &[&forgery::CSRF_WRITES_LOGGED],
        &[&forgery::CSRF_BY_ORIGIN],
        &[
            &forgery::CSRF_LOGGED,
            &forgery::WRITES,
            &forgery::CSRF_STATUS,
        ],
        &[
            &forgery::WRITES_REFUSED,
            &probes::NEVER_EVALUATED,
            &spring::SPRING_MARKS,
        ],
    ],
    ruled_out_by: &[],
    fix: "Where the client is known by a bearer token only, turn the protection off for these paths \
          (Spring: `csrf.ignoringRequestMatchers`; Django REST framework: no `SessionAuthentication`; \
          Express: mount it after the API's routes; Laravel: its host not among `SANCTUM_STATEFUL_DOMAINS`). Where \
          cookies identify the user, keep it and send its token in the header that the framework reads. Where \
          it is the origin that does not match, name it with its scheme (Django: `CSRF_TRUSTED_ORIGINS`) and \
          have the proxy send `X-Forwarded-Proto`.",
    next: &[
        Step::Probe(Probe::OtherMethod),
        Step::Supply("the service's log", "tenure doctor logs FILE"),
    ],
    references: &[
        "spring-projects/spring-security#15009",
        "https://docs.spring.io/spring-security/reference/servlet/exploits/csrf.html",
        "https://docs.djangoproject.com/en/stable/howto/csrf/",
    ],
};

pub(super) const PUBLIC_ENDPOINT: Cause = Cause {
    id: "TN0508",
    title: "A token that is not good is refused where none is needed",
    layer: Layer::Framework,
    prior: Usual,
    story: "The endpoint is open to everybody: without a token it answers. A filter in front of it verifies \
            whatever token comes along, and refuses the request when it is expired or foreign. So users who \
            were signed in once are turned away from pages that strangers can read, the sign-in itself \
            included.",
    signs: &[
        (&libraries::WORSE_WITH_TOKEN, Marks),
        (&token::EXPIRED, Hints),
    ],
    against: &[
        (&probes::FLIPS, Points),
        (&probes::REFUSED_403, Suggests),
        (&answer::SUCCESS_FROM_CACHE, Points),
        (&libraries::GOOD_BY_ITSELF, Points),
    ],
    settled_by: &[&[
        &libraries::WORSE_WITH_TOKEN,
        &libraries::DEAD_BY_ITSELF,
        &libraries::FORGED_REFUSED,
        &probes::REFUSED_401,
    ]],
    ruled_out_by: &[&probes::ACCEPTED, &probes::FLIPS],
    fix: "Leave the Authorization header away where none is needed (signing in, refreshing, public data), or \
          have the service ignore tokens on such paths: a security chain of their own without bearer \
          authentication, or an optional extractor. And find out why the client still sends a dead token.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::BareFresh),
    ],
    references: &["spring-projects/spring-security#4250"],
};

pub(super) const JWT_AUTHORIZER: Cause = Cause {
    id: "TN0517",
    title: "jwt-authorizer (Rust) says 403 of a token whose issuer or claims it does not take",
    layer: Layer::Framework,
    prior: Rare,
    story: "The crate answers a token that it verified, and whose issuer is another, with 403 beside \
            `error=\"invalid_token\"`. RFC 6750 asks for 401 there, and clients wait for that before they \
            refresh or ask for a sign-in.",
    signs: &[
        (&libraries::INVALID_TOKEN_403, Marks),
        (&signs::EMPTY_BODY, Hints),
        (&drift::ISSUERS_DIFFER, Suggests),
        (&keys::ISSUER_DIFFERS_FROM_DISCOVERY, Suggests),
    ],
    against: &[(&signs::ANSWERED_IN_FRONT, Points)],
    settled_by: &[
        &[
            &libraries::INVALID_TOKEN_403,
            &signs::EMPTY_BODY,
            &probes::SIGNATURE_PASSES,
            &drift::ISSUERS_DIFFER,
        ],
        &[
            &libraries::INVALID_TOKEN_403,
            &signs::EMPTY_BODY,
            &probes::SIGNATURE_PASSES,
            &keys::ISSUER_DIFFERS_FROM_DISCOVERY,
        ],
    ],
    ruled_out_by: &[],
    fix: "Compare `iss` byte by byte with the issuer that the validation is set up with, slash and scheme \
          included, and set it to what the issuer's metadata names. Map the crate's error to 401 where \
          clients go by the status.",
    next: &[
        Step::Probe(Probe::Altered),
        Step::Probe(Probe::Discovery),
        Step::Supply("the service's configuration", "tenure doctor drift FILE"),
    ],
    references: &[
        "https://github.com/cduvray/jwt-authorizer/blob/main/jwt-authorizer/src/error.rs",
    ],
};

pub(super) const AXUM_JWT_AUTH: Cause = Cause {
    id: "TN0518",
    title: "axum-jwt-auth (Rust) says 500 of a key that it does not know",
    layer: Layer::Framework,
    prior: Rare,
    story: "The crate has words for many faults of a token, but none for a `kid` that is not in its key set: \
            that becomes 500 `Internal error`. So after a change of keys, or with a token of another \
            environment, a refusal looks like an outage, and clients retry in place of signing in.",
    signs: &[
        (&libraries::INTERNAL_ERROR_500, Points),
        (&libraries::AXUM_WORDS, Points),
        (&keys::KID_UNKNOWN, Suggests),
        (&probes::OTHER_TOKEN_ACCEPTED, Hints),
    ],
    against: &[(&signs::ANSWERED_IN_FRONT, Points)],
    settled_by: &[
        &[
            &libraries::INTERNAL_ERROR_500,
            &libraries::AXUM_WORDS,
            &keys::KID_UNKNOWN,
        ],
        &[
            &libraries::INTERNAL_ERROR_500,
            &signs::NOT_AS_BARE,
            &keys::KID_UNKNOWN,
        ],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Compare the token's `kid` with the issuer's key set. If it is there, the service has old keys: \
          shorten the interval at which the remote decoder reads them, or restart it. If it is not, the \
          token is of another issuer or environment. Map the crate's error to 401.",
    next: &[
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Jwks),
        Step::Supply("the issuer's keys", "--keys FILE"),
    ],
    references: &[
        "https://github.com/cmackenzie1/axum-jwt-auth/blob/main/src/axum.rs",
        "https://github.com/cmackenzie1/axum-jwt-auth/blob/main/src/remote.rs",
    ],
};
