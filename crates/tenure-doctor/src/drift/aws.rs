//! Answers of AWS, recorded or just read: what is stored, what is deployed, what issues tokens.

#[cfg(feature = "aws")]
pub mod live;

use crate::{Source, redact};

use super::tree::{self, Node};
use super::value::{self, Place};
use super::walk::Walk;
use super::{Belief, Effective, Holder, Subject};

/// Reads one answer; its name says to what: `aws/SERVICE/OPERATION.json`, as the AWS command line names both,
/// or `aws/SERVICE/OPERATION-ANYTHING.json`.
///
/// # Errors
/// Says why it cannot be read, without quoting it.
pub fn of_aws(name: &str, text: &str) -> Result<Vec<Belief>, String> {
    let (service, operation) =
        operation(name).ok_or("its name is not aws/SERVICE/OPERATION.json")?;
    let documents = tree::json(text)?;
    let answer = Answer {
        name,
        operation: format!("{service}:{operation}"),
    };
    let read = |node| match (service, operation) {
        ("ssm", "GetParameter") => Some(answer.parameters(field(node, "Parameter"))),
        ("ssm", "GetParameters" | "GetParametersByPath") => {
            Some(answer.parameters(items(node, "Parameters")))
        }
        ("apigateway" | "apigatewayv2", "GetAuthorizers") => Some(answer.authorizers(node)),
        ("apigateway" | "apigatewayv2", "GetAuthorizer") => Some(answer.authorizer(node)),
        ("apigateway", "GetMethod") => Some(answer.method(node, None)),
        ("apigateway", "GetResources") => Some(answer.resources(node)),
        ("apigateway", "GetGatewayResponses") => Some(answer.responses(node)),
        ("apigatewayv2", "GetRoutes") => Some(answer.routes(node)),
        ("apigateway" | "apigatewayv2", "GetStages") => Some(answer.stages(node)),
        ("apigateway" | "apigatewayv2", "GetDeployments") => Some(answer.deployments(node)),
        ("apigateway" | "apigatewayv2", "GetRestApis" | "GetApis") => Some(Vec::new()),
        ("cognito-idp", "DescribeUserPool") => Some(answer.user_pool(node)),
        ("cognito-idp", "DescribeUserPoolClient") => Some(answer.client(node)),
        ("lambda", "GetFunctionConfiguration") => Some(answer.function(node)),
        _ => None,
    };
    let beliefs: Option<Vec<_>> = documents.iter().map(read).collect();
    let unknown = || format!("answers of {} say nothing about tokens", answer.operation);
    Ok(beliefs.ok_or_else(unknown)?.into_iter().flatten().collect())
}

/// `aws/apigateway/GetAuthorizers-memories.json`: service and operation.
fn operation(name: &str) -> Option<(&str, &str)> {
    let (_, rest) = name.rsplit_once("aws/")?;
    let (service, file) = rest.split_once('/')?;
    let operation = file.strip_suffix(".json")?;
    Some((service, operation.split('-').next().unwrap_or(operation)))
}

/// An item that AWS has made itself, as it is unless something is set.
fn is_default(item: &Node) -> bool {
    text(item, "defaultResponse") == Some("true")
}

/// A list in an answer; the wire and the command line spell its name differently.
fn items<'n>(node: &'n Node, name: &str) -> &'n [Node] {
    field(node, name).map(Node::items).unwrap_or_default()
}

/// A member in any capitals.
fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let (_, value) = node
        .entries()
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value)
}

fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    field(node, name)?.text()
}

struct Answer<'a> {
    name: &'a str,
    operation: String,
}

impl Answer<'_> {
    fn place(&self, held_by: Holder, effective: Effective) -> Place<'_> {
        Place {
            file: self.name,
            within: None,
            held_by,
            effective: Some(effective),
            note: None,
        }
    }

    fn say(
        &self,
        about: Subject,
        name: &str,
        value: &str,
        held_by: Holder,
        effective: Effective,
    ) -> Belief {
        Belief {
            about,
            value: redact::id(value),
            name: name.to_owned(),
            source: Source::Aws(self.operation.clone()),
            held_by,
            effective,
            within: None,
            forms: std::collections::BTreeMap::new(),
            note: None,
        }
    }

    fn parameters<'n>(&self, parameters: impl IntoIterator<Item = &'n Node>) -> Vec<Belief> {
        parameters
            .into_iter()
            .filter_map(|parameter| self.parameter(parameter))
            .collect()
    }

    fn parameter(&self, parameter: &Node) -> Option<Belief> {
        let name = text(parameter, "Name")?;
        let value = text(parameter, "Value")?;
        // As it is stored: ciphertext of the key management service.
        if text(parameter, "Type") == Some("SecureString") && value.starts_with("AQIC") {
            return None;
        }
        let place = self.place(Holder::Parameters, Effective::Now);
        let keys: Vec<_> = name.split('/').filter(|key| !key.is_empty()).collect();
        let by_value = || {
            value::looks_like_a_pool(value).then(|| {
                self.say(
                    Subject::UserPool,
                    name,
                    value,
                    Holder::Parameters,
                    Effective::Now,
                )
            })
        };
        let mut belief = place.belief(&keys, 0, value).or_else(by_value)?;
        name.clone_into(&mut belief.name);
        belief.source = Source::Aws(self.operation.clone());
        belief.within = text(parameter, "Version").map(|version| format!("version {version}"));
        Some(belief)
    }

    fn authorizers(&self, answer: &Node) -> Vec<Belief> {
        let both = ["items", "item"]
            .iter()
            .flat_map(|name| items(answer, name));
        both.flat_map(|authorizer| self.authorizer(authorizer))
            .collect()
    }

    fn authorizer(&self, authorizer: &Node) -> Vec<Belief> {
        let name = text(authorizer, "name").unwrap_or("authorizer");
        let say = |about, key: &str, value: &str| {
            let mut belief = self.say(about, key, value, Holder::Deployed, Effective::Deploy);
            belief.within = Some(name.to_owned());
            belief
        };
        let texts = |node: Option<&Node>| -> Vec<String> {
            node.map(Node::items)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect()
        };
        let jwt = field(authorizer, "jwtConfiguration");
        let pools = texts(field(authorizer, "providerARNs"));
        let audience = texts(jwt.and_then(|jwt| field(jwt, "audience")));
        let issuer = jwt.and_then(|jwt| text(jwt, "issuer"));
        let pools = pools
            .iter()
            .map(|arn| say(Subject::UserPool, "providerARNs", &value::pool(arn)));
        let audience = audience
            .iter()
            .map(|one| say(Subject::Audience, "audience", one));
        let issuer = issuer
            .into_iter()
            .map(|issuer| say(Subject::Issuer, "issuer", issuer));
        let kind = text(authorizer, "type").or_else(|| text(authorizer, "authorizerType"));
        let kind = kind.map(|kind| say(Subject::Setting, "type", kind));
        let source = field(authorizer, "identitySource");
        let source = source
            .and_then(Node::text)
            .map(str::to_owned)
            .into_iter()
            .chain(texts(source));
        let source = source.map(|source| say(Subject::Setting, "identitySource", &source));
        let settings = kind.into_iter().chain(source);
        pools
            .chain(issuer)
            .chain(audience)
            .chain(settings)
            .collect()
    }

    /// How a method or route is guarded: `authorizationType`, `apiKeyRequired`, each of `authorizationScopes`.
    fn method(&self, method: &Node, within: Option<&str>) -> Vec<Belief> {
        let say = |name: &str, value: &str| {
            let mut belief = self.say(
                Subject::Setting,
                name,
                value,
                Holder::Deployed,
                Effective::Deploy,
            );
            belief.within = within
                .or_else(|| text(method, "httpMethod"))
                .map(str::to_owned);
            belief
        };
        let one = |name: &str| Some(say(name, text(method, name)?));
        let scopes = items(method, "authorizationScopes").iter();
        let scopes = scopes.filter_map(|scope| Some(say("authorizationScopes", scope.text()?)));
        ["authorizationType", "apiKeyRequired"]
            .into_iter()
            .filter_map(one)
            .chain(scopes)
            .collect()
    }

    fn resources(&self, answer: &Node) -> Vec<Belief> {
        let both = ["items", "item"]
            .iter()
            .flat_map(|name| items(answer, name));
        both.flat_map(|resource| {
            let path = text(resource, "path").unwrap_or_default();
            let methods = field(resource, "resourceMethods")
                .map(Node::entries)
                .unwrap_or_default();
            let method = |(name, method): &(String, Node)| {
                self.method(method, Some(&format!("{name} {path}")))
            };
            methods.iter().flat_map(method).collect::<Vec<_>>()
        })
        .collect()
    }

    fn routes(&self, answer: &Node) -> Vec<Belief> {
        let route = |route| self.method(route, text(route, "routeKey"));
        items(answer, "items").iter().flat_map(route).collect()
    }

    /// Statuses that were set for a reason of the gateway.
    fn responses(&self, answer: &Node) -> Vec<Belief> {
        let both = ["items", "item"]
            .iter()
            .flat_map(|name| items(answer, name));
        both.filter(|response| !is_default(response))
            .filter_map(|response| {
                let status = text(response, "statusCode")?;
                let mut belief = self.say(
                    Subject::Setting,
                    "statusCode",
                    status,
                    Holder::Deployed,
                    Effective::Deploy,
                );
                belief.within = text(response, "responseType").map(str::to_owned);
                Some(belief)
            })
            .collect()
    }

    fn stages(&self, answer: &Node) -> Vec<Belief> {
        let both = ["items", "item"]
            .iter()
            .flat_map(|name| items(answer, name));
        both.filter_map(|stage| {
            let mut belief = self.say(
                Subject::Deployment,
                text(stage, "stageName")?,
                text(stage, "deploymentId")?,
                Holder::Deployed,
                Effective::Deploy,
            );
            belief.note = text(stage, "lastUpdatedDate").map(|date| format!("last updated {date}"));
            Some(belief)
        })
        .collect()
    }

    /// The newest one, by its date.
    fn deployments(&self, answer: &Node) -> Vec<Belief> {
        let both = ["items", "item"]
            .iter()
            .flat_map(|name| items(answer, name));
        let newest = both.max_by(|a, b| {
            created(a)
                .total_cmp(&created(b))
                .then_with(|| text(a, "createdDate").cmp(&text(b, "createdDate")))
        });
        let id =
            newest.and_then(|newest| text(newest, "id").or_else(|| text(newest, "deploymentId")));
        id.map(|id| {
            self.say(
                Subject::Deployment,
                "newest deployment",
                id,
                Holder::Issuer,
                Effective::Now,
            )
        })
        .into_iter()
        .collect()
    }

    fn user_pool(&self, answer: &Node) -> Vec<Belief> {
        let id = field(answer, "UserPool").and_then(|pool| text(pool, "Id"));
        id.map(|id| {
            self.say(
                Subject::UserPool,
                "UserPool.Id",
                id,
                Holder::Issuer,
                Effective::Now,
            )
        })
        .into_iter()
        .collect()
    }

    fn client(&self, answer: &Node) -> Vec<Belief> {
        let Some(client) = field(answer, "UserPoolClient") else {
            return Vec::new();
        };
        let say = |about, name: &str| {
            Some(self.say(
                about,
                name,
                text(client, name)?,
                Holder::Issuer,
                Effective::Now,
            ))
        };
        [
            say(Subject::UserPool, "UserPoolId"),
            say(Subject::ClientId, "ClientId"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn function(&self, answer: &Node) -> Vec<Belief> {
        let Some(variables) =
            field(answer, "Environment").and_then(|environment| field(environment, "Variables"))
        else {
            return Vec::new();
        };
        let mut walk = Walk::new(self.place(Holder::Deployed, Effective::Deploy));
        let owner = text(answer, "FunctionName").unwrap_or("function");
        walk.place.within = Some(owner.to_owned());
        walk.node(&mut Vec::new(), variables);
        walk.beliefs
    }
}

/// Seconds, where the date is a number, as on the wire.
fn created(deployment: &Node) -> f64 {
    text(deployment, "createdDate")
        .and_then(|date| date.parse().ok())
        .unwrap_or_default()
}
