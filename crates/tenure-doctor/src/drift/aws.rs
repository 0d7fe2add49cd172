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
        ("apigateway" | "apigatewayv2", "GetRestApis" | "GetApis") => Some(answer.apis(node)),
        ("apigateway" | "apigatewayv2", "GetRestApi" | "GetApi") => {
            Some(answer.api(node).into_iter().collect())
        }
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

/// What an operation that lists has in its list: `items` by the command line, `item` over the wire.
fn listed(answer: &Node) -> impl Iterator<Item = &Node> {
    ["items", "item"]
        .into_iter()
        .flat_map(|name| items(answer, name))
}

/// A list in an answer.
fn items<'n>(node: &'n Node, name: &str) -> &'n [Node] {
    field(node, name).map(Node::items).unwrap_or_default()
}

/// The texts of a list.
fn texts(list: Option<&Node>) -> impl Iterator<Item = &str> {
    let items = list.map(Node::items).unwrap_or_default();
    items.iter().filter_map(Node::text)
}

/// A member in any capitals: the wire and the command line differ in them.
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

    /// What is deployed, for the part of it that is named.
    fn deployed(&self, about: Subject, name: &str, value: &str, within: Option<&str>) -> Belief {
        Belief {
            within: within.map(str::to_owned),
            ..self.say(about, name, value, Holder::Deployed, Effective::Deploy)
        }
    }

    /// What the issuer, or the gateway's own administration, says of itself.
    fn issuers(&self, about: Subject, name: &str, value: &str) -> Belief {
        self.say(about, name, value, Holder::Issuer, Effective::Now)
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
            let (held_by, effective) = (Holder::Parameters, Effective::Now);
            value::looks_like_a_pool(value)
                .then(|| self.say(Subject::UserPool, name, value, held_by, effective))
        };
        let mut belief = place.belief(&keys, 0, value).or_else(by_value)?;
        name.clone_into(&mut belief.name);
        belief.source = Source::Aws(self.operation.clone());
        belief.within = text(parameter, "Version").map(|version| format!("version {version}"));
        Some(belief)
    }

    fn authorizers(&self, answer: &Node) -> Vec<Belief> {
        listed(answer)
            .flat_map(|authorizer| self.authorizer(authorizer))
            .collect()
    }

    fn authorizer(&self, authorizer: &Node) -> Vec<Belief> {
        let name = text(authorizer, "name").unwrap_or("authorizer");
        let say = |about, key: &str, value: &str| self.deployed(about, key, value, Some(name));
        let jwt = field(authorizer, "jwtConfiguration");
        let pools = texts(field(authorizer, "providerARNs"))
            .map(|arn| say(Subject::UserPool, "providerARNs", &value::pool(arn)));
        let issuer = jwt.and_then(|jwt| text(jwt, "issuer"));
        let issuer = issuer.map(|issuer| say(Subject::Issuer, "issuer", issuer));
        let audience = texts(jwt.and_then(|jwt| field(jwt, "audience")))
            .map(|one| say(Subject::Audience, "audience", one));
        let kind = text(authorizer, "type").or_else(|| text(authorizer, "authorizerType"));
        let kind = kind.map(|kind| say(Subject::Setting, "type", kind));
        let source = field(authorizer, "identitySource");
        let source = source.and_then(Node::text).into_iter().chain(texts(source));
        let source = source.map(|source| say(Subject::Setting, "identitySource", source));
        let (issuer, kind) = (issuer.into_iter(), kind.into_iter());
        pools
            .chain(issuer)
            .chain(audience)
            .chain(kind)
            .chain(source)
            .collect()
    }

    /// How a method or route is guarded: `authorizationType`, `apiKeyRequired`, each of `authorizationScopes`.
    fn method(&self, method: &Node, within: Option<&str>) -> Vec<Belief> {
        let within = within.or_else(|| text(method, "httpMethod"));
        let say = |name: &str, value: &str| self.deployed(Subject::Setting, name, value, within);
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
        let of_resource = |resource| {
            let path = text(resource, "path").unwrap_or_default();
            let methods = field(resource, "resourceMethods")
                .map(Node::entries)
                .unwrap_or_default();
            let method = |(name, method): &(String, Node)| {
                self.method(method, Some(&format!("{name} {path}")))
            };
            methods.iter().flat_map(method).collect::<Vec<_>>()
        };
        listed(answer).flat_map(of_resource).collect()
    }

    fn routes(&self, answer: &Node) -> Vec<Belief> {
        let route = |route| self.method(route, text(route, "routeKey"));
        items(answer, "items").iter().flat_map(route).collect()
    }

    /// Statuses that were set for a reason of the gateway.
    fn responses(&self, answer: &Node) -> Vec<Belief> {
        let set = listed(answer).filter(|response| !is_default(response));
        set.filter_map(|response| {
            let status = text(response, "statusCode")?;
            let within = text(response, "responseType");
            Some(self.deployed(Subject::Setting, "statusCode", status, within))
        })
        .collect()
    }

    fn apis(&self, answer: &Node) -> Vec<Belief> {
        listed(answer).filter_map(|api| self.api(api)).collect()
    }

    /// Whether an API is reached at the address that it has by itself.
    fn api(&self, api: &Node) -> Option<Belief> {
        const OFF: &str = "disableExecuteApiEndpoint";
        let id = text(api, "id").or_else(|| text(api, "apiId"));
        Some(self.deployed(Subject::Setting, OFF, text(api, OFF)?, id))
    }

    fn stages(&self, answer: &Node) -> Vec<Belief> {
        let stage = |stage| {
            let (name, id) = (text(stage, "stageName")?, text(stage, "deploymentId")?);
            let updated = text(stage, "lastUpdatedDate");
            Some(Belief {
                note: updated.map(|date| format!("last updated {date}")),
                ..self.deployed(Subject::Deployment, name, id, None)
            })
        };
        listed(answer).filter_map(stage).collect()
    }

    /// The newest one, by its date.
    fn deployments(&self, answer: &Node) -> Vec<Belief> {
        let newest = listed(answer).max_by(|a, b| {
            created(a)
                .total_cmp(&created(b))
                .then_with(|| text(a, "createdDate").cmp(&text(b, "createdDate")))
        });
        let id =
            newest.and_then(|newest| text(newest, "id").or_else(|| text(newest, "deploymentId")));
        id.map(|id| self.issuers(Subject::Deployment, "newest deployment", id))
            .into_iter()
            .collect()
    }

    fn user_pool(&self, answer: &Node) -> Vec<Belief> {
        let id = field(answer, "UserPool").and_then(|pool| text(pool, "Id"));
        id.map(|id| self.issuers(Subject::UserPool, "UserPool.Id", id))
            .into_iter()
            .collect()
    }

    fn client(&self, answer: &Node) -> Vec<Belief> {
        let Some(client) = field(answer, "UserPoolClient") else {
            return Vec::new();
        };
        let say = |about, name: &str| Some(self.issuers(about, name, text(client, name)?));
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
