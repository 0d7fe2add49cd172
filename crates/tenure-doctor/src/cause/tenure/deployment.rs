//! A service that is not reached as it was meant to be.

use super::{signs, texts};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::drift;
use crate::sign::probes::ACCEPTED;
use crate::weight::{Prior, Strength};

const CONFIG: Step = Step::Supply("the service, from outside", "tenure doctor config URL");

pub(super) const OTHER_ISSUER: Cause = Cause {
    id: "TN0707",
    title: "the service's issuer is not the URL that apps and verifiers use",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "`issuer` in the configuration is an internal name, another scheme, or has a slash more than \
            the URL that clients were given. Tokens carry the configured one, byte by byte, and \
            verifiers that were told the other refuse them; clients that check metadata refuse those.",
    signs: &[
        (&signs::ISSUER_DIFFERS, Strength::Marks),
        (&signs::METADATA_NAMES_OTHER, Strength::Marks),
        (&drift::ISSUERS_DIFFER, Strength::Hints),
    ],
    against: &[],
    settled_by: &[
        &[&signs::ISSUER_DIFFERS],
        &[&signs::METADATA_NAMES_OTHER, &drift::ISSUERS_DIFFER],
    ],
    ruled_out_by: &[],
    fix: "Set `issuer` to the public URL, as every app and verifier writes it, and restart the service. \
          Tokens that are out keep the old issuer until they are refreshed.",
    next: &[Step::Probe(Probe::Discovery), CONFIG],
    references: &["https://www.rfc-editor.org/rfc/rfc8414#section-3.3"],
};

pub(super) const ORIGIN_UNKNOWN: Cause = Cause {
    id: "TN0710",
    title: "the page's origin is not among the client's allowed_origins",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "A page of another origin calls the service, and no client has that origin in \
            `allowed_origins`. The service answers preflights and requests without \
            `Access-Control-Allow-Origin`; the browser shows a CORS error, and the page's script sees a \
            network failure.",
    signs: &[
        (&signs::ORIGIN_NOT_ALLOWED, Strength::Marks),
        (&signs::PAGE_REFUSED, Strength::Points),
        (&signs::PAGE_REFUSED_BROWSED, Strength::Marks),
    ],
    against: &[],
    settled_by: &[
        &[&signs::ORIGIN_NOT_ALLOWED],
        &[&signs::PAGE_REFUSED_BROWSED],
    ],
    ruled_out_by: &[],
    fix: "Add the page's origin (scheme, host and port, without a path) to `allowed_origins` of its \
          client and reload the service.",
    next: &[
        Step::Probe(Probe::Preflight),
        Step::Probe(Probe::Origin),
        CONFIG,
    ],
    references: &["https://fetch.spec.whatwg.org/#http-cors-protocol"],
};

pub(super) const COOKIE_MODE: Cause = Cause {
    id: "TN0711",
    title: "a request in cookie mode lacks X-Tenure-CSRF, or comes from another origin",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "In cookie mode the browser adds the session by itself, so the service asks for two proofs \
            that its own page sent the request: the header field `X-Tenure-CSRF: 1`, and an origin that \
            is the service's own or the client's. One of them is missing, and the answer is 403.",
    signs: &[
        (&texts::NO_CSRF, Strength::Marks),
        (&texts::OTHER_SITE, Strength::Marks),
    ],
    against: &[],
    settled_by: &[
        &[&texts::NO_CSRF, &signs::IN_ITS_FORM],
        &[&texts::OTHER_SITE, &signs::IN_ITS_FORM],
    ],
    ruled_out_by: &[],
    fix: "Send `X-Tenure-CSRF: 1` with each request in cookie mode, let proxies pass it on, and add the \
          page's origin to `allowed_origins`.",
    next: &[Step::Probe(Probe::Client), CONFIG],
    references: &[
        "https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html",
    ],
};

pub(super) const KEYS_NOT_PUBLISHED: Cause = Cause {
    id: "TN0713",
    title: "the published keys are not those that sign",
    layer: Layer::Tenure,
    prior: Prior::Rare,
    story: "The key set that verifiers get is empty, lacks the key that signs, or differs from address \
            to address. A cache in front, or processes with stores of their own, lead there; fresh \
            tokens are then refused everywhere, or by chance.",
    signs: &[
        (&signs::KEYS_NOT_PUBLISHED, Strength::Marks),
        (&signs::OWN_KEY_NOT_PUBLISHED, Strength::Marks),
    ],
    against: &[],
    settled_by: &[
        &[&signs::KEYS_NOT_PUBLISHED],
        &[&signs::OWN_KEY_NOT_PUBLISHED],
    ],
    ruled_out_by: &[],
    fix: "Give all processes of the service one store, take the key set out of the cache in front, and \
          look again with `tenure doctor config`.",
    next: &[CONFIG],
    references: &["https://www.rfc-editor.org/rfc/rfc7517"],
};

pub(super) const SOMETHING_IN_FRONT: Cause = Cause {
    id: "TN0714",
    title: "something in front answers for the service, or changes its answers",
    layer: Layer::Proxy,
    prior: Prior::Usual,
    story: "What comes back from the service's routes is not what it answers: a proxy or a page's \
            fallback answers itself, redirects by a header field that clients set, keeps refusals in a \
            cache, or takes `WWW-Authenticate` or `Retry-After` away. Clients then cannot tell an \
            expired token from a missing right, or a pause from the end.",
    signs: &[(&signs::NOT_ITSELF, Strength::Points)],
    against: &[
        (&signs::NOT_READY, Strength::Hints),
        (&signs::NOT_REACHED, Strength::Points),
    ],
    settled_by: &[],
    ruled_out_by: &[],
    fix: "Pass all routes of the service on as they are, with their header fields both ways, and let \
          nothing before it cache what says `no-store`. Compare with an answer taken from the service \
          itself.",
    next: &[CONFIG, Step::Probe(Probe::Direct)],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1",
        "https://www.rfc-editor.org/rfc/rfc6750#section-3",
    ],
};

pub(super) const PLAIN_HTTP: Cause = Cause {
    id: "TN0715",
    title: "the service is reached without TLS",
    layer: Layer::Transport,
    prior: Prior::Rare,
    story: "The service is asked over plain HTTP on a network. Browsers keep `Secure` cookies back, so \
            sessions in cookie mode are lost with the first answer, and tokens can be read on the way. \
            Tenure's own client sends nothing there, and the service does not start with such an issuer.",
    signs: &[
        (&signs::NO_TLS, Strength::Points),
        (&texts::NEEDS_TLS, Strength::Marks),
        (&texts::ISSUER_WITHOUT_TLS, Strength::Marks),
    ],
    against: &[(&ACCEPTED, Strength::Marks)],
    settled_by: &[&[&texts::NEEDS_TLS], &[&texts::ISSUER_WITHOUT_TLS]],
    ruled_out_by: &[],
    fix: "Serve it over TLS, by itself or behind a proxy that ends TLS, and set `issuer` to the https \
          URL.",
    next: &[CONFIG],
    references: &["https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2.5"],
};

pub(super) const UNREACHABLE: Cause = Cause {
    id: "TN0716",
    title: "the service is not reached",
    layer: Layer::Transport,
    prior: Prior::Rare,
    story: "No HTTP answer comes from the service's address: the port is closed, the name has no \
            address, or TLS is not agreed on; or a proxy answers 502 or 504 in its place. Signed-in users go on until their access tokens expire; \
            clients that take a network failure for the end sign them out.",
    signs: &[
        (&signs::NOT_REACHED, Strength::Marks),
        (&signs::NOTHING_COMES_BACK, Strength::Marks),
        (&signs::NOBODY_BEHIND, Strength::Marks),
        (&signs::GONE_IN_LOG, Strength::Points),
    ],
    against: &[],
    settled_by: &[
        &[&signs::NOT_REACHED],
        &[&signs::NOTHING_COMES_BACK],
        &[&signs::NOBODY_BEHIND],
    ],
    ruled_out_by: &[],
    fix: "Look whether the service runs and listens where the name, or the proxy before it, points to, and \
          whether its certificate fits the name.",
    next: &[
        Step::Probe(Probe::Discovery),
        Step::Probe(Probe::Refresh),
        CONFIG,
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc9110#section-15.6"],
};
