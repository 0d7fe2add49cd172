//! An authorization request (RFC 6749 section 4.1.1, OIDC Core section 3.1.2.1), checked.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tenure_core::id::{ClientId, Subject};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;
use url::form_urlencoded;

use super::redirect::{Refused, ReturnTo, is_registered};
use crate::browser::BrowserSession;
use crate::config::{Client, GrantType};
use crate::state::AppState;

/// What a request may say; whatever else it says is ignored (RFC 6749 section 3.1).
const KNOWN: [&str; 15] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "id_token_hint",
    "login_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
];

/// The parameters as sent; empty ones count as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).filter(|(_, value)| !value.is_empty());
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The request again, for the next page, or with `fewer` as its prompt.
    pub(super) fn text(&self) -> String {
        let known = |name: &str| name == "state" || KNOWN.contains(&name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.0.iter().filter(|(name, _)| known(name)))
            .finish()
    }

    /// The same request after its user has just signed in: it must not ask for that again.
    #[must_use]
    pub(super) fn signed_in(&self) -> Self {
        let mut pairs = self.0.clone();
        pairs.retain(|(name, _)| name != "max_age");
        for (_, value) in pairs.iter_mut().filter(|(name, _)| name == "prompt") {
            let rest = value
                .split(' ')
                .filter(|word| !matches!(*word, "login" | "select_account"));
            *value = rest.collect::<Vec<_>>().join(" ");
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Self(pairs)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value, unless the parameter is sent twice.
    fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// RFC 6749 section 3.1; `resource` may be repeated (RFC 8707 section 2).
    fn repeats_one(&self) -> bool {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        names().any(|name| name != "resource" && self.all(name).nth(1).is_some())
    }
}

/// A request of a registered client that can be answered.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(super) client: Arc<Client>,
    pub(super) return_to: ReturnTo,
    pub(super) scope: Scope,
    pub(super) audience: Vec<String>,
    /// S256 (RFC 7636 section 4.2).
    pub(super) code_challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) login_hint: Option<String>,
    pub(super) prompt: Prompt,
    max_age: Option<Duration>,
    /// The only user who will do (`id_token_hint`).
    hinted: Option<Subject>,
    pub(super) parameters: Parameters,
}

/// How the user may be asked (OIDC Core section 3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) none: bool,
    /// `login`, and `select_account`, which means the same where one account is signed in.
    pub(super) login: bool,
    pub(super) consent: bool,
}

/// A request that is not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is nobody whom the answer can safely be sent to: the user is told.
    Page(&'static str),
    /// The client is told.
    Redirect(ReturnTo, Refused),
}

impl Request {
    pub(super) fn check(state: &AppState, parameters: Parameters) -> Result<Self, Refusal> {
        let (client, return_to) = addressee(state, &parameters).map_err(Refusal::Page)?;
        let to = return_to.clone();
        Self::of(state, client, return_to, parameters)
            .map_err(|(error, why)| Refusal::Redirect(to, Refused { error, why }))
    }

    fn of(
        state: &AppState,
        client: Arc<Client>,
        return_to: ReturnTo,
        parameters: Parameters,
    ) -> Result<Self, Why> {
        check_form(&client, &parameters)?;
        let own = |name: &str| parameters.one(name).map(str::to_owned);
        Ok(Self {
            scope: scope(&client, &parameters)?,
            audience: audience(&state.config.load().issuer, &client, &parameters)?,
            code_challenge: code_challenge(&parameters)?.to_owned(),
            nonce: own("nonce"),
            login_hint: own("login_hint"),
            prompt: prompt(parameters.one("prompt").unwrap_or_default())?,
            max_age: max_age(&parameters)?,
            hinted: hinted(state, &parameters)?,
            client,
            return_to,
            parameters,
        })
    }

    /// Whether this sign-in is recent enough for the request, and of the right user.
    pub(super) fn accepts(&self, session: &BrowserSession, now: Timestamp) -> bool {
        let fresh = self
            .max_age
            .is_none_or(|limit| !limit.is_zero() && now.since(session.auth_time) <= limit);
        fresh && !self.prompt.login && self.is_for(session)
    }

    /// False where the client asked for another user.
    pub(super) fn is_for(&self, session: &BrowserSession) -> bool {
        self.hinted
            .as_ref()
            .is_none_or(|subject| *subject == session.subject)
    }
}

type Why = (&'static str, &'static str);

fn addressee(
    state: &AppState,
    parameters: &Parameters,
) -> Result<(Arc<Client>, ReturnTo), &'static str> {
    let id = parameters
        .one("client_id")
        .ok_or("The request must name its client_id, once.")?;
    let client = state
        .client(&ClientId::new(id))
        .ok_or("The client is not registered here.")?;
    let uri = parameters
        .one("redirect_uri")
        .ok_or("The request must name its redirect_uri, once.")?;
    if !is_registered(&client.redirect_uris, uri) {
        return Err("The redirect_uri is not registered for this client.");
    }
    let state = parameters.one("state").map(str::to_owned);
    Ok((
        client,
        ReturnTo {
            uri: uri.to_owned(),
            state,
        },
    ))
}

fn check_form(client: &Client, parameters: &Parameters) -> Result<(), Why> {
    if parameters.repeats_one() {
        return Err(("invalid_request", "a parameter is sent more than once"));
    }
    if parameters.text().contains("%EF%BF%BD") {
        return Err(("invalid_request", "a parameter is not valid UTF-8"));
    }
    if parameters.one("request").is_some() {
        return Err(("request_not_supported", "send the parameters themselves"));
    }
    if parameters.one("request_uri").is_some() {
        return Err((
            "request_uri_not_supported",
            "send the parameters themselves",
        ));
    }
    match parameters.one("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err((
                "unsupported_response_type",
                "the response_type is always code",
            ));
        }
        None => return Err(("invalid_request", "response_type is missing; send code")),
    }
    if parameters
        .one("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(("invalid_request", "the response_mode is always query"));
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err((
            "unauthorized_client",
            "the client may not use the authorization_code grant",
        ));
    }
    Ok(())
}

/// RFC 9700 section 2.1.1: for every client, and never `plain`, which is also the default.
fn code_challenge(parameters: &Parameters) -> Result<&str, Why> {
    let Some(challenge) = parameters.one("code_challenge") else {
        return Err((
            "invalid_request",
            "PKCE is required: code_challenge is missing",
        ));
    };
    if parameters.one("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "the code_challenge_method must be S256"));
    }
    let is_hash = URL_SAFE_NO_PAD
        .decode(challenge)
        .is_ok_and(|hash| hash.len() == 32);
    if !is_hash {
        return Err((
            "invalid_request",
            "the code_challenge is not the base64url of a SHA-256",
        ));
    }
    Ok(challenge)
}

/// A request without a scope asks for all that the client is registered for (RFC 6749 section 3.3).
fn scope(client: &Client, parameters: &Parameters) -> Result<Scope, Why> {
    let scope = parameters
        .one("scope")
        .map_or_else(|| client.scope.clone(), Scope::parse);
    if !scope.is_within(&client.scope) {
        return Err((
            "invalid_scope",
            "the client is not registered for all of these scopes",
        ));
    }
    Ok(scope)
}

fn audience(issuer: &str, client: &Client, parameters: &Parameters) -> Result<Vec<String>, Why> {
    let mut asked: Vec<String> = parameters.all("resource").map(str::to_owned).collect();
    asked.sort_unstable();
    asked.dedup();
    client.audience_for(issuer, &asked).ok_or((
        "invalid_target",
        "the client is not registered for this resource",
    ))
}

fn prompt(text: &str) -> Result<Prompt, Why> {
    let words = || text.split_ascii_whitespace();
    let has = |word: &str| words().any(|other| other == word);
    let prompt = Prompt {
        none: has("none"),
        login: has("login") || has("select_account"),
        consent: has("consent"),
    };
    if prompt.none && words().count() > 1 {
        return Err(("invalid_request", "prompt=none stands alone"));
    }
    Ok(prompt)
}

fn max_age(parameters: &Parameters) -> Result<Option<Duration>, Why> {
    let Some(text) = parameters.one("max_age") else {
        return Ok(None);
    };
    let seconds = text
        .parse()
        .map_err(|_| ("invalid_request", "max_age is no number of seconds"))?;
    Ok(Some(Duration::from_secs(seconds)))
}

/// An expired ID token still says who is meant.
fn hinted(state: &AppState, parameters: &Parameters) -> Result<Option<Subject>, Why> {
    let Some(token) = parameters.one("id_token_hint") else {
        return Ok(None);
    };
    let claims = state.keys.load().verify_id(token);
    let subject = claims
        .as_ref()
        .and_then(|claims| claims.get("sub"))
        .and_then(Value::as_str);
    match subject {
        Some(subject) => Ok(Some(Subject::new(subject))),
        None => Err((
            "invalid_request",
            "the id_token_hint is not an ID token of this issuer",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameters, Prompt, prompt};

    #[test]
    fn a_request_that_goes_on_after_the_sign_in_does_not_ask_for_it_again() {
        let asked = Parameters::parse(b"state=a+b&prompt=login%20consent&max_age=0&x=1&x=2");
        assert_eq!(asked.signed_in().text(), "state=a+b&prompt=consent");
        let asked = Parameters::parse(b"prompt=select_account&scope=openid");
        assert_eq!(asked.signed_in().text(), "scope=openid");
    }

    #[test]
    fn a_parameter_that_is_sent_twice_has_no_value() {
        let parameters = Parameters::parse(b"scope=a&scope=b&nonce=&nonce=n");
        assert_eq!(parameters.one("scope"), None);
        assert_eq!(parameters.one("nonce"), Some("n"));
        assert!(parameters.repeats_one());
        assert!(!Parameters::parse(b"resource=a&resource=b").repeats_one());
    }

    #[test]
    fn none_stands_alone_among_prompts() {
        let login = Prompt {
            login: true,
            ..Prompt::default()
        };
        assert_eq!(prompt("select_account"), Ok(login));
        assert!(prompt("none").is_ok_and(|prompt| prompt.none));
        assert!(prompt("none login").is_err());
        assert_eq!(prompt("create"), Ok(Prompt::default()));
    }
}
