//! Asks AWS, with the credentials and the region that its command line would use. It only reads.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::{Client, Method, Request, Url};
use serde_json::{Value, json};

use crate::case::Text;
use crate::drift::{Belief, Subject, value};

/// Longer, and the service cannot be reached.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who asks, where, and as whom.
pub struct Reader {
    http: Client,
    region: String,
    endpoint: Option<Url>,
    credentials: Credentials,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader {{ region: {}, … }}", self.region)
    }
}

/// Why AWS was not asked, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing says where.
    #[error("no AWS region: set AWS_REGION, or a region in the profile")]
    Region,
    /// Nothing says as whom.
    #[error("no AWS credentials: sign in as for the AWS command line ({0})")]
    Credentials(String),
    /// `AWS_ENDPOINT_URL` is no URL.
    #[error("AWS_ENDPOINT_URL is no URL")]
    Endpoint,
    /// A request could not be made or signed.
    #[error("{0} cannot be asked: {1}")]
    Request(Call, String),
    /// No answer came.
    #[error("{0} gave no answer: {1}")]
    Silent(Call, String),
    /// The service refused.
    #[error("{0} was refused: {1} {2}")]
    Refused(Call, u16, String),
}

/// One read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `ssm:GetParameter`, without decryption.
    Parameter(String),
    /// `cognito-idp:DescribeUserPool`.
    UserPool(String),
    /// `cognito-idp:DescribeUserPoolClient`: pool, client.
    UserPoolClient(String, String),
    /// `apigateway:GetRestApis`.
    RestApis,
    /// `apigateway:GetAuthorizers` of an API.
    RestAuthorizers(String),
    /// `apigateway:GetStages` of an API.
    RestStages(String),
    /// `apigateway:GetDeployments` of an API.
    RestDeployments(String),
    /// `apigatewayv2:GetApis`.
    HttpApis,
    /// `apigatewayv2:GetAuthorizers` of an API.
    HttpAuthorizers(String),
}

impl Call {
    /// Service, operation and what of.
    fn parts(&self) -> (&'static str, &'static str, Option<&str>) {
        match self {
            Self::Parameter(name) => ("ssm", "GetParameter", Some(name)),
            Self::UserPool(pool) => ("cognito-idp", "DescribeUserPool", Some(pool)),
            Self::UserPoolClient(_, client) => {
                ("cognito-idp", "DescribeUserPoolClient", Some(client))
            }
            Self::RestApis => ("apigateway", "GetRestApis", None),
            Self::RestAuthorizers(api) => ("apigateway", "GetAuthorizers", Some(api)),
            Self::RestStages(api) => ("apigateway", "GetStages", Some(api)),
            Self::RestDeployments(api) => ("apigateway", "GetDeployments", Some(api)),
            Self::HttpApis => ("apigatewayv2", "GetApis", None),
            Self::HttpAuthorizers(api) => ("apigatewayv2", "GetAuthorizers", Some(api)),
        }
    }

    /// The name under which [`crate::drift::of_aws`] reads the answer.
    pub fn file(&self) -> String {
        let (service, operation, of) = self.parts();
        let of = of
            .map(|of| format!("-{}", of.replace('/', "_")))
            .unwrap_or_default();
        format!("aws/{service}/{operation}{of}.json")
    }

    /// The path of a GET, or the target and the body of a POST.
    fn wire(&self) -> Wire {
        let post = |target, body| Wire::Post { target, body };
        match self {
            Self::Parameter(name) => post("AmazonSSM.GetParameter", json!({ "Name": name })),
            Self::UserPool(pool) => post(
                "AWSCognitoIdentityProviderService.DescribeUserPool",
                json!({ "UserPoolId": pool }),
            ),
            Self::UserPoolClient(pool, client) => post(
                "AWSCognitoIdentityProviderService.DescribeUserPoolClient",
                json!({ "UserPoolId": pool, "ClientId": client }),
            ),
            Self::RestApis => Wire::Get("/restapis?limit=500".to_owned()),
            Self::RestAuthorizers(api) => Wire::Get(format!("/restapis/{api}/authorizers")),
            Self::RestStages(api) => Wire::Get(format!("/restapis/{api}/stages")),
            Self::RestDeployments(api) => {
                Wire::Get(format!("/restapis/{api}/deployments?limit=500"))
            }
            Self::HttpApis => Wire::Get("/v2/apis".to_owned()),
            Self::HttpAuthorizers(api) => Wire::Get(format!("/v2/apis/{api}/authorizers")),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (service, operation, of) = self.parts();
        write!(f, "{service}:{operation}")?;
        of.map_or(Ok(()), |of| write!(f, " {of}"))
    }
}

enum Wire {
    Get(String),
    Post { target: &'static str, body: Value },
}

/// What is worth asking, given what files and tokens say: the parameters that templates refer to, the pools
/// and clients that are named, and what gateways there are.
pub fn calls(beliefs: &[Belief]) -> Vec<Call> {
    let mut calls = BTreeSet::new();
    calls.extend(
        beliefs
            .iter()
            .flat_map(|belief| parameters(&belief.value))
            .map(Call::Parameter),
    );
    let pools: BTreeSet<_> = beliefs
        .iter()
        .flat_map(|belief| belief.value.split('/'))
        .filter(|part| value::looks_like_a_pool(part))
        .collect();
    calls.extend(pools.iter().map(|pool| Call::UserPool((*pool).to_owned())));
    let clients = beliefs
        .iter()
        .filter(|belief| belief.about == Subject::ClientId && !belief.is_open());
    for client in clients {
        calls.extend(
            pools
                .iter()
                .map(|pool| Call::UserPoolClient((*pool).to_owned(), client.value.clone())),
        );
    }
    calls.extend([Call::RestApis, Call::HttpApis]);
    calls.into_iter().collect()
}

/// The names in `{{resolve:ssm:NAME:VERSION}}`; what is stored encrypted is left alone.
fn parameters(value: &str) -> Vec<String> {
    let references = value
        .split("{{resolve:")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next());
    references
        .filter_map(|reference| {
            let mut parts = reference.split(':');
            let is_plain = matches!(parts.next(), Some("ssm" | "ssm-parameter"));
            is_plain.then(|| parts.next().map(str::to_owned)).flatten()
        })
        .collect()
}

/// What an answer makes worth asking: the authorizers and stages of the gateways that there are.
pub fn calls_after(call: &Call, answer: &Text) -> Vec<Call> {
    let parsed: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let list = ["item", "items"]
        .iter()
        .filter_map(|name| parsed.get(name)?.as_array())
        .flatten();
    let ids = |key: &str| -> Vec<String> {
        list.clone()
            .filter_map(|api| Some(api.get(key)?.as_str()?.to_owned()))
            .collect()
    };
    match call {
        Call::RestApis => ids("id")
            .into_iter()
            .flat_map(|api| {
                [
                    Call::RestAuthorizers(api.clone()),
                    Call::RestStages(api.clone()),
                    Call::RestDeployments(api),
                ]
            })
            .collect(),
        Call::HttpApis => ids("apiId")
            .into_iter()
            .map(Call::HttpAuthorizers)
            .collect(),
        _ => Vec::new(),
    }
}

impl Reader {
    /// Credentials, region and endpoint by the rules of the AWS command line: environment, profile, single
    /// sign-on, container, instance.
    ///
    /// # Errors
    /// When there is no region, or nobody to be.
    pub async fn of_environment() -> Result<Self, Error> {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let region = config.region().ok_or(Error::Region)?.to_string();
        let endpoint = config
            .endpoint_url()
            .map(|url| url.parse().map_err(|_| Error::Endpoint))
            .transpose()?;
        let provider = config
            .credentials_provider()
            .ok_or_else(|| Error::Credentials("no provider".to_owned()))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| Error::Credentials(error.to_string()))?;
        Self::new(region, endpoint, credentials)
    }

    fn new(region: String, endpoint: Option<Url>, credentials: Credentials) -> Result<Self, Error> {
        let http = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let http = http.map_err(|error| Error::Credentials(error.to_string()))?;
        Ok(Self {
            http,
            region,
            endpoint,
            credentials,
        })
    }

    /// Makes one read; the answer is named as [`crate::drift::of_aws`] wants it.
    ///
    /// # Errors
    /// When the service cannot be asked, is silent or refuses.
    pub async fn read(&self, call: &Call, now: SystemTime) -> Result<Text, Error> {
        let request = self
            .request(call, now)
            .map_err(|why| Error::Request(call.clone(), why))?;
        let silent =
            |error: reqwest::Error| Error::Silent(call.clone(), error.without_url().to_string());
        let answer = self.http.execute(request).await.map_err(silent)?;
        let status = answer.status();
        let kind = answer
            .headers()
            .get("x-amzn-errortype")
            .and_then(|kind| kind.to_str().ok())
            .map(str::to_owned);
        let text = answer.text().await.map_err(silent)?;
        if !status.is_success() {
            let kind = kind.or_else(|| {
                serde_json::from_str::<Value>(&text)
                    .ok()?
                    .get("__type")?
                    .as_str()
                    .map(str::to_owned)
            });
            return Err(Error::Refused(
                call.clone(),
                status.as_u16(),
                kind.unwrap_or_default(),
            ));
        }
        Ok(Text {
            name: call.file(),
            text,
        })
    }

    fn url(&self, service: &str, path: &str) -> Result<Url, String> {
        let base = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Url::parse(&format!("https://{service}.{}.amazonaws.com", self.region))
                .map_err(|error| error.to_string())?,
        };
        base.join(path).map_err(|error| error.to_string())
    }

    fn request(&self, call: &Call, now: SystemTime) -> Result<Request, String> {
        let (service, ..) = call.parts();
        // Both kinds of gateway are administered under one name.
        let service = service.trim_end_matches("v2");
        let (method, path, headers, body) = match call.wire() {
            Wire::Get(path) => (
                Method::GET,
                path,
                vec![("accept", "application/json")],
                String::new(),
            ),
            Wire::Post { target, body } => (
                Method::POST,
                "/".to_owned(),
                vec![
                    ("content-type", "application/x-amz-json-1.1"),
                    ("x-amz-target", target),
                ],
                body.to_string(),
            ),
        };
        let url = self.url(service, &path)?;
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let signable = SignableRequest::new(
            method.as_str(),
            url.as_str(),
            headers.iter().copied(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| error.to_string())?
            .into_parts();
        let mut request = self.http.request(method, url).body(body);
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        request.build().map_err(|error| error.to_string())
    }
}
