//! Which layer gave an answer, by the marks that products leave on answers of their own.

use crate::cause::Layer;
use crate::exchange::Answer;

/// The layer that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its kind.
    pub layer: Layer,
    /// The product.
    pub product: &'static str,
    /// The mark by which it is known, in a few words.
    pub mark: &'static str,
}

/// The layer that made this answer; nothing where no mark of any is on it.
///
/// Marks that a product puts on whatever passes through it (`Via`, `CF-Ray`) do not count.
pub fn answered(answer: &Answer) -> Option<Answered> {
    MARKS
        .iter()
        .find(|mark| mark.is_on(answer))
        .map(|mark| Answered {
            layer: mark.layer,
            product: mark.product,
            mark: mark.says,
        })
}

/// Products that the answer passed through, whoever made it.
pub fn passed(answer: &Answer) -> Vec<&'static str> {
    let mut products = Vec::new();
    for (name, needle, product) in PASSED {
        let met = answer
            .header(name)
            .is_some_and(|value| contains(value, needle));
        if met && !products.contains(product) {
            products.push(*product);
        }
    }
    products
}

/// One mark: all of its parts must be there.
struct Mark {
    layer: Layer,
    product: &'static str,
    says: &'static str,
    /// Header fields with what their value contains, in any case; `""` is any value.
    headers: &'static [(&'static str, &'static str)],
    /// What the body contains, in any case.
    body: &'static str,
}

impl Mark {
    fn is_on(&self, answer: &Answer) -> bool {
        let has = |(name, needle): &(&str, &str)| {
            let mut fields = answer.headers.iter().filter(|(field, _)| field == name);
            fields.any(|(_, value)| contains(value, needle))
        };
        self.headers.iter().all(has) && contains(&answer.body, self.body)
    }
}

fn contains(text: &str, needle: &str) -> bool {
    let mut windows = text.as_bytes().windows(needle.len().max(1));
    needle.is_empty() || windows.any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

const fn mark(
    layer: Layer,
    product: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    says: &'static str,
) -> Mark {
    Mark {
        layer,
        product,
        says,
        headers,
        body,
    }
}

/// In the order of their distance from the client: the outermost layer that answered wins.
const MARKS: &[Mark] = &[
    mark(
        Layer::Waf,
        "Cloudflare",
        &[("cf-mitigated", "")],
        "",
        "cf-mitigated",
    ),
    mark(
        Layer::Waf,
        "Cloudflare",
        &[("server", "cloudflare"), ("content-type", "text/html")],
        "cloudflare ray id",
        "a Cloudflare page",
    ),
    mark(
        Layer::Waf,
        "AWS WAF at CloudFront",
        &[("x-cache", "error from cloudfront")],
        "request blocked",
        "CloudFront's `Request blocked`",
    ),
    mark(
        Layer::Waf,
        "AWS WAF",
        &[("x-amzn-waf-action", "")],
        "",
        "x-amzn-waf-action",
    ),
    mark(
        Layer::Waf,
        "AWS WAF at Amazon Cognito",
        &[],
        "not allowed due to waf block",
        "Cognito's `WAF block`",
    ),
    mark(
        Layer::Waf,
        "Akamai",
        &[("server", "akamaighost")],
        "access denied",
        "Akamai's `Access Denied`",
    ),
    mark(
        Layer::Cdn,
        "Amazon CloudFront",
        &[("server", "cloudfront")],
        "",
        "server: CloudFront",
    ),
    mark(
        Layer::Cdn,
        "Vercel",
        &[("server", "vercel")],
        "authentication required",
        "Vercel's preview gate",
    ),
    mark(
        Layer::Cdn,
        "Vercel",
        &[("x-vercel-error", "")],
        "",
        "x-vercel-error",
    ),
    mark(
        Layer::Cdn,
        "Varnish",
        &[],
        "guru meditation",
        "Varnish's own error page",
    ),
    mark(
        Layer::Cdn,
        "Varnish",
        &[],
        "varnish cache server",
        "Varnish's own error page",
    ),
    mark(
        Layer::Proxy,
        "ngrok",
        &[("ngrok-error-code", "")],
        "",
        "ngrok-error-code",
    ),
    mark(
        Layer::Proxy,
        "AWS load balancer",
        &[("server", "awselb")],
        "",
        "server: awselb",
    ),
    mark(
        Layer::Application,
        "a backend behind Amazon API Gateway",
        &[("x-amzn-remapped-www-authenticate", "")],
        "",
        "x-amzn-remapped-www-authenticate",
    ),
    mark(
        Layer::GatewayVerifier,
        "Amazon API Gateway (REST)",
        &[("x-amzn-errortype", "unauthorized")],
        "",
        "x-amzn-errortype: UnauthorizedException",
    ),
    mark(
        Layer::GatewayVerifier,
        "Amazon API Gateway (REST)",
        &[("x-amzn-errortype", "accessdenied")],
        "",
        "x-amzn-errortype: AccessDeniedException",
    ),
    mark(
        Layer::GatewayVerifier,
        "Amazon API Gateway (REST)",
        &[("x-amzn-errortype", "authorizer")],
        "",
        "x-amzn-errortype of an authorizer",
    ),
    mark(
        Layer::GatewayVerifier,
        "Amazon Cognito",
        &[("x-amzn-errortype", "notauthorized")],
        "",
        "x-amzn-errortype: NotAuthorizedException",
    ),
    mark(
        Layer::Issuer,
        "Amazon Cognito",
        &[("x-amzn-errortype", "resourcenotfound")],
        "",
        "x-amzn-errortype: ResourceNotFoundException",
    ),
    mark(
        Layer::GatewayRouter,
        "Amazon API Gateway (REST)",
        &[("x-amzn-errortype", "")],
        "",
        "x-amzn-errortype",
    ),
    mark(
        Layer::GatewayVerifier,
        "Amazon API Gateway (HTTP)",
        &[("apigw-requestid", ""), ("www-authenticate", "bearer")],
        "\"message\":\"unauthorized\"",
        "apigw-requestid beside a Bearer challenge",
    ),
    mark(
        Layer::GatewayRouter,
        "Amazon API Gateway (HTTP)",
        &[("apigw-requestid", "")],
        "{\"message\":\"not found\"}",
        "apigw-requestid beside `Not Found`",
    ),
    mark(
        Layer::GatewayVerifier,
        "Pomerium",
        &[("x-pomerium-intercepted-response", "")],
        "",
        "x-pomerium-intercepted-response",
    ),
    mark(
        Layer::GatewayVerifier,
        "Kong",
        &[("x-kong-response-latency", "")],
        "unauthorized",
        "x-kong-response-latency: Kong made the answer",
    ),
    mark(
        Layer::GatewayVerifier,
        "Kong",
        &[],
        "no credentials found for given 'iss'",
        "a text of Kong's jwt plugin",
    ),
    mark(
        Layer::GatewayRouter,
        "Kong",
        &[("x-kong-response-latency", "")],
        "",
        "x-kong-response-latency: Kong made the answer",
    ),
    mark(
        Layer::GatewayVerifier,
        "Envoy or Istio",
        &[],
        "jwt is ",
        "a text of Envoy's jwt_authn",
    ),
    mark(
        Layer::GatewayVerifier,
        "Envoy or Istio",
        &[],
        "jwt verification fails",
        "a text of Envoy's jwt_authn",
    ),
    mark(
        Layer::GatewayVerifier,
        "Envoy or Istio",
        &[],
        "jwks doesn't have key",
        "a text of Envoy's jwt_authn",
    ),
    mark(
        Layer::GatewayVerifier,
        "Envoy or Istio",
        &[],
        "jwks remote fetch is failed",
        "a text of Envoy's jwt_authn",
    ),
    mark(
        Layer::GatewayVerifier,
        "Envoy or Istio",
        &[],
        "audiences in jwt are not allowed",
        "a text of Envoy's jwt_authn",
    ),
    mark(
        Layer::GatewayVerifier,
        "Envoy or Istio",
        &[],
        "jwt issuer is not configured",
        "a text of Envoy's jwt_authn",
    ),
    mark(
        Layer::GatewayVerifier,
        "Envoy or Istio",
        &[],
        "rbac: access denied",
        "a text of Envoy's RBAC filter",
    ),
    mark(
        Layer::Proxy,
        "nginx",
        &[],
        "<center>nginx",
        "nginx's own error page",
    ),
    mark(
        Layer::Proxy,
        "OpenResty",
        &[],
        "<center>openresty",
        "OpenResty's own error page",
    ),
    mark(
        Layer::Proxy,
        "Apache httpd",
        &[("server", "apache")],
        "//ietf//dtd html 2.0//en",
        "Apache's own error page",
    ),
    mark(
        Layer::Proxy,
        "HAProxy",
        &[],
        "request forbidden by administrative rules",
        "HAProxy's own error page",
    ),
    mark(
        Layer::Proxy,
        "HAProxy",
        &[],
        "you need a valid user and password to access this content",
        "HAProxy's own error page",
    ),
    mark(
        Layer::Proxy,
        "HAProxy",
        &[],
        "no server is available to handle this request",
        "HAProxy's own error page",
    ),
    mark(
        Layer::GatewayVerifier,
        "Spring Security",
        &[("www-authenticate", "resource_metadata=")],
        "",
        "a Bearer challenge with resource_metadata",
    ),
    mark(
        Layer::Tenure,
        "Tenure",
        &[("www-authenticate", "realm=\"tenure\"")],
        "",
        "realm=\"tenure\"",
    ),
    mark(
        Layer::Application,
        "PostgREST",
        &[("server", "postgrest")],
        "",
        "server: postgrest",
    ),
    mark(
        Layer::Framework,
        "uvicorn",
        &[("server", "uvicorn")],
        "",
        "server: uvicorn",
    ),
    mark(
        Layer::Framework,
        "gunicorn",
        &[("server", "gunicorn")],
        "",
        "server: gunicorn",
    ),
    mark(
        Layer::Framework,
        "Werkzeug",
        &[("server", "werkzeug")],
        "",
        "server: Werkzeug",
    ),
    mark(
        Layer::Framework,
        "Kestrel",
        &[("server", "kestrel")],
        "",
        "server: Kestrel",
    ),
    mark(
        Layer::Framework,
        "Express",
        &[("x-powered-by", "express")],
        "",
        "x-powered-by: Express",
    ),
];

const PASSED: &[(&str, &str, &str)] = &[
    ("cf-ray", "", "Cloudflare"),
    ("x-amz-cf-id", "", "Amazon CloudFront"),
    ("via", "cloudfront", "Amazon CloudFront"),
    ("via", "varnish", "Varnish"),
    ("x-varnish", "", "Varnish"),
    ("x-fastly-request-id", "", "Fastly"),
    ("x-served-by", "cache-", "Fastly"),
    ("server", "akamai", "Akamai"),
    ("x-azure-ref", "", "Azure Front Door"),
    ("x-vercel-id", "", "Vercel"),
    ("x-nf-request-id", "", "Netlify"),
    ("x-amzn-requestid", "", "Amazon API Gateway (REST)"),
    ("apigw-requestid", "", "Amazon API Gateway (HTTP)"),
    ("x-kong-proxy-latency", "", "Kong"),
    ("x-kong-upstream-latency", "", "Kong"),
    ("x-envoy-upstream-service-time", "", "Envoy or Istio"),
    ("server", "envoy", "Envoy or Istio"),
    ("server", "istio", "Envoy or Istio"),
    ("server", "nginx", "nginx"),
    ("server", "openresty", "OpenResty"),
    ("server", "apache", "Apache httpd"),
    ("server", "caddy", "Caddy"),
    ("via", "caddy", "Caddy"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Answer {
            status: 403,
            headers: headers.iter().map(own).collect(),
            body: body.to_owned(),
            body_bytes: body.len() as u64,
        }
    }

    #[test]
    fn the_outermost_layer_that_answered_is_named() {
        let blocked = answer(
            &[
                ("server", "CloudFront"),
                ("x-cache", "Error from cloudfront"),
            ],
            "<h1>403 ERROR</h1> Request blocked.",
        );
        assert_eq!(answered(&blocked).unwrap().product, "AWS WAF at CloudFront");
    }

    #[test]
    fn passing_through_a_product_is_not_answering() {
        let backend = answer(
            &[("cf-ray", "8c"), ("server", "cloudflare")],
            "{\"error\":\"no\"}",
        );
        assert_eq!(answered(&backend), None);
        assert_eq!(passed(&backend), ["Cloudflare"]);
    }

    #[test]
    fn a_backend_behind_a_gateway_is_told_from_the_gateway() {
        let backend = answer(
            &[
                ("x-amzn-remapped-www-authenticate", "Bearer"),
                ("x-amzn-requestid", "1"),
            ],
            "",
        );
        assert_eq!(answered(&backend).unwrap().layer, Layer::Application);
    }
}
