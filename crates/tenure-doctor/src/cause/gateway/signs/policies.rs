//! Resource policies, IAM policies and AWS signatures.

use super::routes::is_unknown_route;
use super::unexplained::at_amazon;
use super::{always, is_type, reason, through_rest};
use crate::compare::same;
use crate::exchange::Answer;
use crate::layer;
use crate::probe::Probe;
use crate::sign::{Sign, contains, together};

/// The client's own request is refused by a policy.
pub(in super::super) static POLICY_REFUSES: Sign = Sign {
    name: "gateway-policy-refuses",
    means: "the client's own request is refused by a resource policy or an IAM policy",
    find: |evidence| {
        let denied =
            |answer: &Answer| contains(&answer.body, "is not authorized to perform: execute-api:");
        always(evidence, denied, |answer| {
            format!(
                "{} `is not authorized to perform: execute-api`",
                answer.status
            )
        })
    },
};

/// The client's own request is refused for its AWS signature.
pub(in super::super) static AWS_SIGNATURE_REFUSED: Sign = Sign {
    name: "gateway-aws-signature-refused",
    means: "the gateway refuses the AWS signature or the keys of the client's own request",
    find: |evidence| {
        let kinds = [
            "InvalidSignature",
            "UnrecognizedClient",
            "InvalidClientTokenId",
            "ExpiredToken",
        ];
        let texts = [
            "the security token included in the request is",
            "the request signature we calculated does not match",
            "is now earlier than",
            "credential should be scoped to",
        ];
        let refused = |answer: &Answer| {
            let amazon = through_rest(answer) || kinds.iter().any(|kind| is_type(answer, kind));
            answer.status == 403
                && (amazon || at_amazon(evidence))
                && texts.iter().any(|text| contains(&answer.body, text))
        };
        always(evidence, refused, reason)
    },
};

/// Whatever is asked for is forbidden in the same words, with and without a token.
pub(in super::super) static FORBIDDEN_WHOLLY: Sign = Sign {
    name: "gateway-forbidden-wholly",
    means: "403 in the same words for every path, with a token, without and with a forged one",
    find: |evidence| {
        let probes = [Probe::Client, Probe::Bare, Probe::Altered, Probe::OtherPath];
        together(evidence, probes, |[client, others @ ..]| {
            let own = |product: &str| product.starts_with("Amazon API Gateway");
            let elsewhere = layer::answered(client).is_some_and(|by| !own(by.product));
            let forbidden = client.status == 403 && !is_unknown_route(client) && !elsewhere;
            let alike = others.iter().all(|other| same(client, other));
            let says = "403 for every path, with and without the token";
            (forbidden && alike).then(|| says.to_owned())
        })
    },
};
