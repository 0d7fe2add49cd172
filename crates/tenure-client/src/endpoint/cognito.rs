//! Amazon Cognito user pools.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request};
use serde::Serialize;
use tenure_core::outcome::{Dialect, ErrorPattern};
use tenure_core::secret::Secret;
use tenure_core::session::{Millis, Presentation, Provider, Revocation};
use url::Url;

use super::{RefreshEndpoint, json};
use crate::Error;

/// A user pool's own API, without its hosted pages. (With them, a pool is an [`OAuth2`](super::OAuth2)
/// service.)
///
/// The issuer of the [`Config`](crate::Config) is the pool's, as in the `iss` of its tokens:
/// `https://cognito-idp.REGION.amazonaws.com/POOL`. Sign in with whatever the app has for it, and
/// give the tokens to [`Session::adopt`](crate::Session::adopt).
///
/// `NotAuthorizedException` stands for a dead refresh token as well as for a wrong client secret:
/// the session ends only where its text is about the token or the user.
#[derive(Clone, Debug, Default)]
pub struct Cognito {
    initiate_auth: bool,
    id_token: bool,
    secret: Option<Secret>,
    username: Option<String>,
    device_key: Option<String>,
}

impl Cognito {
    /// Refreshes with `GetTokensFromRefreshToken`, whether the refresh token rotates or not.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refreshes with `InitiateAuth` and its flow `REFRESH_TOKEN_AUTH`, which needs a client whose
    /// refresh token does not rotate.
    #[must_use]
    pub fn initiate_auth(mut self) -> Self {
        self.initiate_auth = true;
        self
    }

    /// Hands out the ID token instead of the access token, for an API Gateway authorizer without
    /// scopes, which wants that. Both must have the same lifetime.
    #[must_use]
    pub fn id_token(mut self) -> Self {
        self.id_token = true;
        self
    }

    /// The app client's secret. With [`Cognito::initiate_auth`] a [`Cognito::username`] is needed,
    /// too.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Whose session it is, for `SECRET_HASH`: the name in the pool, or the `sub` where people sign
    /// in by e-mail or telephone number.
    #[must_use]
    pub fn username(mut self, username: &str) -> Self {
        self.username = Some(username.to_owned());
        self
    }

    /// The device's key, in pools that remember devices: without it every refresh token is answered
    /// with "Invalid Refresh Token", which ends the session.
    #[must_use]
    pub fn device_key(mut self, key: &str) -> Self {
        self.device_key = Some(key.to_owned());
        self
    }

    fn parameters<'a>(&'a self, asked: &'a Presentation) -> Result<Parameters<'a>, Error> {
        let secret_hash = match (&self.secret, &self.username) {
            (None, _) => None,
            (Some(secret), Some(user)) => {
                Some(secret_hash(secret, user, &asked.provider.client_id))
            }
            (Some(_), None) => {
                let missing = "Cognito::username is needed for the secret's hash";
                return Err(Error::Misconfigured(missing.into()));
            }
        };
        Ok(Parameters {
            refresh_token: &asked.refresh_token,
            secret_hash,
            device_key: self.device_key.as_deref(),
        })
    }
}

impl RefreshEndpoint for Cognito {
    fn dialect(&self) -> Dialect {
        Dialect {
            access_token: Cow::Borrowed(if self.id_token {
                "AuthenticationResult.IdToken"
            } else {
                "AuthenticationResult.AccessToken"
            }),
            refresh_token: Cow::Borrowed("AuthenticationResult.RefreshToken"),
            expires_in: Cow::Borrowed("AuthenticationResult.ExpiresIn"),
            expires_at: None,
            error: Cow::Borrowed("__type"),
            message: Some(Cow::Borrowed("message")),
            statuses: Cow::Borrowed(&[400, 401]),
            ends: Cow::Borrowed(&ENDS),
            misconfigured: Cow::Borrowed(&MISCONFIGURED),
        }
    }

    fn provider(&self, issuer: &str, client_id: &str) -> Option<Provider> {
        let origin = Url::parse(issuer).ok()?.origin();
        let endpoint = format!("{}/", origin.ascii_serialization());
        Some(Provider {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            authorization_endpoint: None,
            token_endpoint: endpoint.clone(),
            revocation_endpoint: Some(endpoint),
            names_issuer: false,
            retire_on_use: false,
            fetched: Millis(0),
        })
    }

    fn refresh(&self, asked: &Presentation) -> Result<Request<Bytes>, Error> {
        let provider = &asked.provider;
        if self.initiate_auth {
            let fields = InitiateAuth {
                flow: "REFRESH_TOKEN_AUTH",
                client_id: &provider.client_id,
                parameters: self.parameters(asked)?,
            };
            return call(&provider.token_endpoint, "InitiateAuth", &fields);
        }
        let fields = GetTokens {
            refresh_token: &asked.refresh_token,
            client_id: &provider.client_id,
            client_secret: self.secret.as_ref(),
            device_key: self.device_key.as_deref(),
        };
        call(
            &provider.token_endpoint,
            "GetTokensFromRefreshToken",
            &fields,
        )
    }

    fn revoke(&self, revocation: &Revocation) -> Result<Option<Request<Bytes>>, Error> {
        let fields = RevokeToken {
            token: &revocation.token,
            client_id: &revocation.client_id,
            client_secret: self.secret.as_ref(),
        };
        call(&revocation.endpoint, "RevokeToken", &fields).map(Some)
    }
}

/// What Cognito says of a refresh token or its user, and of nothing else.
static ENDS: [ErrorPattern; 7] = [
    ErrorPattern::saying("NotAuthorizedException", "Refresh Token has expired"),
    ErrorPattern::saying("NotAuthorizedException", "Refresh Token has been revoked"),
    ErrorPattern::saying("NotAuthorizedException", "Invalid Refresh Token"),
    ErrorPattern::saying("NotAuthorizedException", "The user has been deleted"),
    ErrorPattern::saying("NotAuthorizedException", "User is disabled"),
    ErrorPattern::code("RefreshTokenReuseException"),
    ErrorPattern::code("UserNotFoundException"),
];

/// The rest of `NotAuthorizedException` is about the client: its secret, or another client's token.
static MISCONFIGURED: [ErrorPattern; 4] = [
    ErrorPattern::code("NotAuthorizedException"),
    ErrorPattern::code("InvalidParameterException"),
    ErrorPattern::code("ResourceNotFoundException"),
    ErrorPattern::code("UnrecognizedClientException"),
];

#[derive(Serialize)]
struct InitiateAuth<'a> {
    #[serde(rename = "AuthFlow")]
    flow: &'a str,
    #[serde(rename = "ClientId")]
    client_id: &'a str,
    #[serde(rename = "AuthParameters")]
    parameters: Parameters<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Parameters<'a> {
    refresh_token: &'a Secret,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetTokens<'a> {
    refresh_token: &'a Secret,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RevokeToken<'a> {
    token: &'a Secret,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a Secret>,
}

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const KIND: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

fn call(endpoint: &str, action: &str, fields: &impl Serialize) -> Result<Request<Bytes>, Error> {
    let mut request = json(endpoint, fields)?;
    let target = format!("AWSCognitoIdentityProviderService.{action}");
    let target = HeaderValue::from_str(&target)
        .map_err(|error| Error::Misconfigured(format!("{action}: {error}")))?;
    request.headers_mut().insert(TARGET, target);
    request.headers_mut().insert(CONTENT_TYPE, KIND);
    Ok(request)
}

/// The Base64 of an HMAC-SHA-256 over the user's name and the client's id, keyed with the secret.
fn secret_hash(secret: &Secret, username: &str, client_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, format!("{username}{client_id}").as_bytes());
    STANDARD.encode(tag)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tenure_core::outcome::{Answer, Outcome, classify};
    use tenure_core::secret::Secret;
    use tenure_core::session::Presentation;
    use tenure_core::time::Timestamp;

    use super::{Cognito, RefreshEndpoint as _};
    use crate::Error;

    const POOL: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1";

    fn refresh(cognito: &Cognito) -> Result<(String, Value), Error> {
        let presentation = Presentation {
            provider: cognito.provider(POOL, "client").expect("fixed"),
            refresh_token: Secret::new("r"),
            key: Secret::new("AAAAAAAAAAAAAAAAAAAAAA"),
            claims: None,
        };
        let request = cognito.refresh(&presentation)?;
        assert_eq!(
            request.uri(),
            "https://cognito-idp.eu-central-1.amazonaws.com/"
        );
        let kind = &request.headers()["content-type"];
        assert_eq!(kind, "application/x-amz-json-1.1");
        let target = &request.headers()["x-amz-target"];
        let target = target.to_str().expect("text").to_owned();
        let body = serde_json::from_slice(request.body()).expect("JSON");
        Ok((target, body))
    }

    #[test]
    fn both_calls_are_as_documented() {
        let service = "AWSCognitoIdentityProviderService";
        let (target, body) = refresh(&Cognito::new()).expect("a request");
        assert_eq!(target, format!("{service}.GetTokensFromRefreshToken"));
        assert_eq!(body, json!({ "RefreshToken": "r", "ClientId": "client" }));

        let confidential = Cognito::new().secret(Secret::new("s")).device_key("d");
        let (_, body) = refresh(&confidential).expect("a request");
        assert_eq!(
            body,
            json!({ "RefreshToken": "r", "ClientId": "client", "ClientSecret": "s", "DeviceKey": "d" })
        );

        let classic = confidential.initiate_auth();
        assert!(matches!(refresh(&classic), Err(Error::Misconfigured(_))));
        let (target, body) = refresh(&classic.username("ann")).expect("a request");
        assert_eq!(target, format!("{service}.InitiateAuth"));
        // printf annclient | openssl dgst -sha256 -hmac s -binary | base64
        let hash = "GkuazHmITWLZW44Tob2mua1iVYU/GeUmpc3dBqSoRrQ=";
        let parameters = json!({ "REFRESH_TOKEN": "r", "SECRET_HASH": hash, "DEVICE_KEY": "d" });
        assert_eq!(
            body,
            json!({ "AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "client",
                    "AuthParameters": parameters })
        );
    }

    #[test]
    fn only_what_is_said_of_the_token_or_the_user_ends_the_session() {
        let judge = |status, kind: &str, message: &str| {
            let body = json!({ "__type": kind, "message": message }).to_string();
            let answer = Answer {
                status,
                retry_after: None,
                body: body.as_bytes(),
            };
            classify(&Ok(answer), &Cognito::new().dialect(), Timestamp(0))
        };
        let denied = |message| judge(400, "NotAuthorizedException", message);
        for message in [
            "Refresh Token has expired",
            "Refresh Token has been revoked",
            "Invalid Refresh Token.",
            "Invalid Refresh Token",
            "User is disabled.",
            "The user has been deleted for the associated refresh token",
        ] {
            assert!(
                matches!(denied(message), Outcome::Definitive(_)),
                "{message}"
            );
        }
        for (kind, message) in [
            ("RefreshTokenReuseException", "whatever"),
            ("UserNotFoundException", "User does not exist."),
            ("com.amazonaws.cognito#UserNotFoundException", ""),
        ] {
            let outcome = judge(400, kind, message);
            assert!(matches!(outcome, Outcome::Definitive(_)), "{kind}");
        }
        for message in [
            "Unable to verify secret hash for client x",
            "SecretHash does not match for the client: x",
            "Client x is configured with secret but SECRET_HASH was not received",
            "Refresh Token has different Client",
            "",
        ] {
            assert!(
                matches!(denied(message), Outcome::Misconfigured(_)),
                "{message}"
            );
        }
        for (status, kind) in [
            (400, "TooManyRequestsException"),
            (400, "InternalErrorException"),
            (400, "UserLambdaValidationException"),
            (403, "ForbiddenException"),
            (500, "NotAuthorizedException"),
        ] {
            let outcome = judge(status, kind, "Refresh Token has expired");
            assert!(
                matches!(outcome, Outcome::Transient { .. }),
                "{status} {kind}"
            );
        }
    }

    #[test]
    fn the_id_token_can_be_the_one_that_is_handed_out() {
        let body = br#"{"AuthenticationResult":{"AccessToken":"a","IdToken":"i","ExpiresIn":60}}"#;
        let handed = |cognito: &Cognito| {
            let answer = Answer {
                status: 200,
                retry_after: None,
                body,
            };
            match classify(&Ok(answer), &cognito.dialect(), Timestamp(0)) {
                Outcome::Granted(granted) => {
                    assert_eq!(granted.refresh_token, None);
                    granted.access_token.expose().to_owned()
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(handed(&Cognito::new()), "a");
        assert_eq!(handed(&Cognito::new().id_token()), "i");
    }
}
