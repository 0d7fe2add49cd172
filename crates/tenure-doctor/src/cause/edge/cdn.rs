//! Content delivery networks and caches.

use super::arrived::{ECHO_HAS_ANOTHER, ECHO_HAS_TOKEN, ECHO_LACKS_TOKEN, TOLD_MISSING};
use super::signs::DIRECT_REFUSED;
use super::signs::cache::{
    ALTERED_FROM_CACHE, BARE_FRESH_ACCEPTED, BARE_FRESH_REFUSED, CACHE_BROWSED_AGAINST_SERVICE,
    CACHED_REFUSAL_IS_WRONG, CACHED_REFUSAL_LOGGED, CLIENTS_ANSWER_GIVEN_AWAY, FRESH_REFUSED,
    REFUSAL_BROWSED_FROM_CACHE, SILENT_CACHE, SOME_REFUSED_BY_CACHE,
};
use super::signs::header::{
    CLOUDFRONT_UNHEARD, HEARD, SERVER_HEARS_DIRECTLY, TAKEN_AS_SET, TAKEN_BY_DIRECT, TAKEN_BY_ECHO,
    TAKEN_BY_SETTING, TOLD_NO_HEADER, UNDERSCORE,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::answer::{REFUSAL_FROM_CACHE, SUCCESS_FROM_CACHE};
use crate::sign::probes::{
    ACCEPTED, ALWAYS_ACCEPTED, AS_WITHOUT_TOKEN, BARE_ACCEPTED, FAILS_AS_FORGED, FRESH_ACCEPTED,
    SIGNATURE_PASSES,
};
use crate::weight::{Prior, Strength};

pub(super) const CLOUDFRONT_REMOVES: Cause = Cause {
    id: "TN0201",
    title: "the edge takes the Authorization header off; CloudFront does unless told otherwise",
    layer: Layer::Cdn,
    prior: Prior::Usual,
    story: "Unless a policy says otherwise, Amazon CloudFront removes Authorization from GET and HEAD requests before \
            it asks the origin; other methods keep it. Other proxies and caches remove it when they are told to, often by \
            a line that once made caching work. The service sees a request without a token and answers 401, whatever the \
            client sent. Past the edge the same request works.",
    signs: &[
        (&TAKEN_BY_ECHO, Strength::Marks),
        (&TAKEN_BY_DIRECT, Strength::Marks),
        (&CLOUDFRONT_UNHEARD, Strength::Marks),
        (&SERVER_HEARS_DIRECTLY, Strength::Points),
        (&TAKEN_AS_SET, Strength::Marks),
        (&TAKEN_BY_SETTING, Strength::Hints),
        (&ECHO_LACKS_TOKEN, Strength::Hints),
        (&TOLD_MISSING, Strength::Hints),
    ],
    against: &[
        (&ACCEPTED, Strength::Marks),
        (&HEARD, Strength::Points),
        (&FAILS_AS_FORGED, Strength::Points),
        (&DIRECT_REFUSED, Strength::Suggests),
        (&REFUSAL_FROM_CACHE, Strength::Points),
        (&FRESH_ACCEPTED, Strength::Points),
        (&UNDERSCORE, Strength::Points),
    ],
    settled_by: &[
        &[&TAKEN_BY_ECHO, &AS_WITHOUT_TOKEN],
        // Credentials of another kind in its place are "no token" as well.
        &[&TAKEN_BY_DIRECT, &TOLD_NO_HEADER],
        &[&TAKEN_AS_SET],
    ],
    ruled_out_by: &[&ECHO_HAS_TOKEN, &ECHO_HAS_ANOTHER],
    fix: "CloudFront: give the behaviour of this path a policy that passes the header on: the managed origin request policy \
          `AllViewer` (`AllViewerExceptHostHeader` in front of API Gateway), or a cache policy with Authorization in its \
          key. An origin request policy of your own cannot name Authorization; a cache policy can. Elsewhere take the \
          line out that removes it: nginx `proxy_set_header Authorization \"\"`, HAProxy `http-request del-header`, Caddy \
          `header_up -Authorization`, Varnish `unset req.http.Authorization`, Apache `RequestHeader unset`. Then \
          invalidate the path: refusals may be cached.",
    next: &[
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::Echo),
        Step::Supply("the address of the origin", "--direct IP:PORT"),
    ],
    references: &[
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-401-unauthorized.html",
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html",
    ],
};

pub(super) const REFUSAL_CACHED: Cause = Cause {
    id: "TN0202",
    title: "a cache keeps a 401 or 403 and gives it to others",
    layer: Layer::Cdn,
    prior: Prior::Usual,
    story: "Somebody's request without a token, or with an expired one, was refused, and the cache in front of the \
            service kept the refusal. Until it is forgotten everybody gets it, with good tokens as well. It comes and \
            goes, and a fresh sign-in does not help. CloudFront keeps errors for ten seconds even where nothing asks \
            for it; nginx, Varnish and others do as they are told, and `proxy_cache_valid any` tells them to.",
    signs: &[
        (&REFUSAL_FROM_CACHE, Strength::Marks),
        (&CACHED_REFUSAL_IS_WRONG, Strength::Points),
        (&FRESH_ACCEPTED, Strength::Points),
        (&SILENT_CACHE, Strength::Marks),
        (&REFUSAL_BROWSED_FROM_CACHE, Strength::Marks),
        (&CACHE_BROWSED_AGAINST_SERVICE, Strength::Points),
        (&SOME_REFUSED_BY_CACHE, Strength::Points),
        (&CACHED_REFUSAL_LOGGED, Strength::Marks),
    ],
    against: &[
        (&ALWAYS_ACCEPTED, Strength::Points),
        (&FRESH_REFUSED, Strength::Points),
        (&DIRECT_REFUSED, Strength::Points),
        (&SIGNATURE_PASSES, Strength::Suggests),
    ],
    settled_by: &[
        &[&CACHED_REFUSAL_IS_WRONG],
        &[&SOME_REFUSED_BY_CACHE],
        &[&CACHE_BROWSED_AGAINST_SERVICE],
    ],
    ruled_out_by: &[],
    fix: "Let the service send `Cache-Control: no-store` with every 401 and 403, and let the cache keep no errors: \
          CloudFront error caching minimum TTL 0 for 401 and 403, nginx `proxy_cache_valid 200 …` without `any`, Varnish \
          `beresp.uncacheable` for 401 and 403. Then purge the path. A shared cache must not keep answers to requests \
          with Authorization unless the service allows it (RFC 9111, section 3.5), so look for a setting that overrides \
          the service's own.",
    next: &[
        Step::Probe(Probe::Fresh),
        Step::Probe(Probe::Direct),
        Step::Probe(Probe::Again(1)),
        Step::Supply(
            "the address of the service behind the cache",
            "--direct IP:PORT",
        ),
    ],
    references: &[
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html",
        "RFC 9111, section 3.5",
        "OWASP/CheatSheetSeries#2092",
        "HarperFast/harper#1746",
    ],
};

pub(super) const SUCCESS_CACHED: Cause = Cause {
    id: "TN0203",
    title: "a cache gives one user's answer to everybody",
    layer: Layer::Cdn,
    prior: Prior::Rare,
    story: "The answer to a request with a token was cached under a key that the token is no part of. From then on \
            anybody gets it: without a token, with a forged one, with another user's. Users see data that is not \
            theirs, and a sign-out seems to have no effect. To the service nothing looks wrong, because it is not asked.",
    signs: &[
        (&SUCCESS_FROM_CACHE, Strength::Marks),
        (&ALTERED_FROM_CACHE, Strength::Marks),
        (&BARE_FRESH_REFUSED, Strength::Marks),
        (&CLIENTS_ANSWER_GIVEN_AWAY, Strength::Points),
        (&BARE_ACCEPTED, Strength::Hints),
    ],
    against: &[],
    settled_by: &[
        &[&SUCCESS_FROM_CACHE, &BARE_FRESH_REFUSED],
        &[&ALTERED_FROM_CACHE, &BARE_FRESH_REFUSED],
        &[&CLIENTS_ANSWER_GIVEN_AWAY],
    ],
    ruled_out_by: &[&BARE_FRESH_ACCEPTED],
    fix: "Send `Cache-Control: private, no-store` with everything that depends on the user, or `Vary: Authorization` where \
          a cache is wanted, and put Authorization into the cache's key. Take out settings that cache in spite of the \
          service (`proxy_ignore_headers Cache-Control`, a forced TTL, `unset req.http.Authorization`). Purge the cache at \
          once: what is in it is somebody's data. Treat it as a disclosure.",
    next: &[
        Step::Probe(Probe::BareFresh),
        Step::Probe(Probe::Bare),
        Step::Probe(Probe::Altered),
    ],
    references: &[
        "misskey-dev/misskey#11414",
        "HarperFast/harper#1565",
        "RFC 9111, section 3.5",
    ],
};
