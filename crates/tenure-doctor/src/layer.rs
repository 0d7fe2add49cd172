//! Which layer gave an answer, by the marks that products leave on answers of their own.

mod marks;

use self::marks::{MARKS, PASSED};
use crate::cause::Layer;
use crate::exchange::Answer;
use crate::sign::answer::mentions;
use crate::sign::contains;

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
        let met = mentions(answer.header(name), needle);
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
    /// What the body contains; in any case, unless a capital is in it.
    body: &'static str,
}

impl Mark {
    fn is_on(&self, answer: &Answer) -> bool {
        let has = |(name, needle): &(&str, &str)| {
            let mut fields = answer.headers.iter().filter(|(field, _)| field == name);
            fields.any(|(_, value)| contains(value, needle))
        };
        let exact = self.body.bytes().any(|byte| byte.is_ascii_uppercase());
        let body = if exact {
            answer.body.contains(self.body)
        } else {
            contains(&answer.body, self.body)
        };
        body && self.headers.iter().all(has)
    }
}

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
    fn a_service_that_writes_nearly_the_words_of_a_proxy_is_not_that_proxy() {
        let envoy = answer(&[("content-type", "text/plain")], "Jwt is expired");
        assert_eq!(answered(&envoy).unwrap().product, "Envoy or Istio");
        let service = answer(&[], "{\"error\":\"JWT is expired\"}");
        assert_eq!(answered(&service), None);
        let gateway = answer(
            &[("apigw-requestid", "1")],
            "{\"message\":\"Unauthorized\"}",
        );
        assert_eq!(answered(&gateway).unwrap().layer, Layer::GatewayVerifier);
        let nest = answer(
            &[("apigw-requestid", "1")],
            "{\"message\":\"Unauthorized\",\"statusCode\":401}",
        );
        assert_eq!(answered(&nest), None);
    }

    #[test]
    fn a_gate_is_known_by_its_cookie_or_its_redirect() {
        let vercel = answer(&[("set-cookie", "_vercel_sso_nonce=x; Path=/")], "");
        assert_eq!(answered(&vercel).unwrap().product, "Vercel");
        let gate = answer(
            &[("location", "https://gate.example/oauth2/start?rd=/x")],
            "",
        );
        assert_eq!(answered(&gate).unwrap().product, "oauth2-proxy");
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
