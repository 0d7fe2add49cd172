//! Redirects on the way.

use crate::cause::client::redirect;
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{probes, token};
use crate::{Prior, Strength};

pub(super) const DROPPED_BY_REDIRECT: Cause = Cause {
    id: "TN0107",
    title: "a redirect to another host, port or scheme makes the client drop the header",
    layer: Layer::Transport,
    prior: Prior::Usual,
    story: "The API answers with a redirect to another origin: to `www`, to a new host, to another port. \
            HTTP clients do not send credentials to a place that they were not meant for, so they follow \
            it without the Authorization header. What comes back is the refusal of a request without a \
            token, and the logs of the first host show nothing but a redirect.",
    signs: &[
        (&redirect::KEEPING_TURNS, Strength::Points),
        (&redirect::DROPPED_AND_REFUSED, Strength::Points),
        (&redirect::MOVED, Strength::Points),
        (&redirect::LOGGED_TO_HOST, Strength::Marks),
        (&redirect::LED_ELSEWHERE, Strength::Hints),
        (&redirect::UPGRADED, Strength::Hints),
        (&redirect::SLASHED, Strength::Hints),
    ],
    against: &[
        (&redirect::KEEPING_HELPS_NOT, Strength::Marks),
        (&redirect::UPGRADED, Strength::Suggests),
        (&redirect::SLASHED, Strength::Suggests),
    ],
    settled_by: &[
        &[&redirect::MOVED, &redirect::KEEPING_TURNS],
        &[&redirect::LED_ELSEWHERE, &redirect::KEEPING_TURNS],
        &[&redirect::MOVED, &redirect::DROPPED_AND_REFUSED],
        &[&redirect::LOGGED_TO_HOST, &token::IN_TIME],
    ],
    ruled_out_by: &[&probes::ACCEPTED, &redirect::KEEPING_HELPS_NOT],
    fix: "Let the client call the final address. Do not make it keep the header across origins \
          (`--location-trusted` and its like): that hands tokens to whoever writes a Location. Where the \
          Location is wrong, mend what writes it (the proxy's forwarded host and port).",
    next: &[
        Step::Probe(Probe::Hop(1)),
        Step::Probe(Probe::KeptHop(1)),
        Step::Supply("the final address, as the URL", "tenure doctor probe URL"),
    ],
    references: &[
        "https://fetch.spec.whatwg.org/#http-redirect-fetch",
        "https://curl.se/docs/manpage.html#--location-trusted",
        "https://github.com/seanmonstar/reqwest/blob/master/src/redirect.rs",
    ],
};

pub(super) const SLASH_TO_HTTP: Cause = Cause {
    id: "TN0108",
    title: "a redirect that corrects a trailing slash leads to the address that the app has behind its proxy",
    layer: Layer::Framework,
    prior: Prior::Usual,
    story: "Web frameworks redirect `/things` to `/things/`, or back. They build the new address from what \
            reaches them, and behind a proxy that ends TLS that is plain http, an inner host or an inner \
            port. The client follows to an address that does not answer, or drops the header because the \
            origin has changed. Only paths with the wrong slash are hit.",
    signs: &[
        (&redirect::SLASHED, Strength::Marks),
        (&redirect::LOGGED_TO_HTTP, Strength::Marks),
        (&redirect::SLASH_TURNS, Strength::Points),
        (&redirect::LEADS_NOWHERE, Strength::Hints),
        (&redirect::DROPPED_AND_REFUSED, Strength::Hints),
        (&redirect::KEEPING_TURNS, Strength::Hints),
    ],
    against: &[],
    settled_by: &[
        &[&redirect::SLASHED_TO_HTTP, &redirect::SLASH_TURNS],
        &[&redirect::SLASHED_TO_HTTP, &redirect::LEADS_NOWHERE],
        &[&redirect::SLASHED_TO_HTTP, &redirect::DROPPED_AND_REFUSED],
        &[&redirect::LOGGED_TO_HTTP, &token::IN_TIME],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Let the client use the spelling that the API has, and turn the correction off \
          (`redirect_slashes=False` in FastAPI). Or let the app know its outer address: the proxy sends \
          `X-Forwarded-Proto` and `X-Forwarded-Host`, the app trusts them from that proxy only \
          (`--forwarded-allow-ips`).",
    next: &[Step::Probe(Probe::Hop(1)), Step::Probe(Probe::Slash)],
    references: &[
        "fastapi/fastapi#4990",
        "Kaoruha/GinkGO#5389",
        "valyala/fasthttp#723",
        "conda-incubator/conda-store#499",
    ],
};

pub(super) const UPGRADE: Cause = Cause {
    id: "TN0109",
    title: "the client is configured with http, and loses the header at the redirect to https",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "The address in the client begins with http, and the server redirects to https at the same \
            host. HTTP clients disagree about that step: some take it for another origin and drop the \
            Authorization header, others keep it because it only becomes safer. So the same URL works in \
            one tool and is refused in another. The token has crossed the network unencrypted besides.",
    signs: &[
        (&redirect::UPGRADED, Strength::Points),
        (&redirect::KEEPING_TURNS, Strength::Points),
        (&redirect::DROPPED_AND_REFUSED, Strength::Suggests),
    ],
    against: &[
        (&redirect::KEEPING_HELPS_NOT, Strength::Marks),
        (&redirect::SLASHED, Strength::Points),
    ],
    settled_by: &[
        &[&redirect::UPGRADED, &redirect::KEEPING_TURNS],
        &[&redirect::UPGRADED, &redirect::DROPPED_AND_REFUSED],
    ],
    ruled_out_by: &[
        &probes::ACCEPTED,
        &redirect::KEEPING_HELPS_NOT,
        &redirect::SLASHED,
    ],
    fix: "Write https in the client's base URL, and let the server refuse plain http for the API instead \
          of redirecting it: a redirect comes when the token has been sent in the clear already. Take \
          tokens that went that way for known.",
    next: &[Step::Probe(Probe::Hop(1)), Step::Probe(Probe::KeptHop(1))],
    references: &[
        "encode/httpx#1850",
        "aio-libs/aiohttp#5848",
        "https://github.com/seanmonstar/reqwest/blob/master/src/redirect.rs",
    ],
};
