//! Authorization code with PKCE and a loopback redirect (RFC 6749 section 4.1, RFC 7636, RFC 8252).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tenure_core::secret::{Secret, sha256};
use tenure_core::session::Provider;
use url::Url;

use super::loopback::{Expected, Loopback};
use crate::driver::random;
use crate::endpoint::form;
use crate::events::Entry;
use crate::{Error, Session};

/// A sign-in that waits for the browser. Dropping it gives it up.
pub struct CodeSignIn {
    session: Session,
    provider: Provider,
    loopback: Loopback,
    url: Url,
    redirect_uri: String,
    state: Secret,
    verifier: Secret,
}

#[derive(Serialize)]
struct Exchange<'a> {
    grant_type: &'a str,
    code: &'a str,
    redirect_uri: &'a str,
    client_id: &'a str,
    code_verifier: &'a str,
}

impl Session {
    /// Begins a sign-in in the browser: listens on a loopback port and makes the URL to open there.
    pub async fn sign_in_code(&self) -> Result<CodeSignIn, Error> {
        let provider = self.discovered().await?;
        let loopback = Loopback::bind().await?;
        let redirect_uri = loopback.redirect_uri();
        let started = Entry::SignInStarted {
            flow: "code",
            redirect_uri: Some(redirect_uri.clone()),
        };
        started.tell();
        let [state, verifier] = [random::<32>(), random::<32>()]
            .map(|bytes| Secret::new(URL_SAFE_NO_PAD.encode(bytes)));
        let mut url = authorization_endpoint(&provider)?;
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.expose().as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.client_id)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("scope", &self.config().scope)
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(CodeSignIn {
            session: self.clone(),
            provider,
            loopback,
            url,
            redirect_uri,
            state,
            verifier,
        })
    }
}

impl CodeSignIn {
    /// The exact `redirect_uri` of the request, which must be registered for the client.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Where the browser has to go.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits until the browser comes back, for as long as it takes, and signs in.
    ///
    /// Whoever comes with another `state` is turned away, and the wait goes on. An answer of another
    /// issuer is [`Error::SignInRefused`] with the code `wrong_issuer`.
    pub async fn finish(self) -> Result<(), Error> {
        let expected = Expected {
            state: self.state,
            issuer: self.provider.issuer.clone(),
            names_issuer: self.provider.names_issuer,
        };
        let code = self.loopback.code(expected).await?;
        let exchange = Exchange {
            grant_type: "authorization_code",
            code: code.expose(),
            redirect_uri: &self.redirect_uri,
            client_id: &self.provider.client_id,
            code_verifier: self.verifier.expose(),
        };
        let request = form(&self.provider.token_endpoint, &exchange)?;
        self.session.complete(request, self.provider).await
    }
}

/// The URL holds the `state`.
impl fmt::Debug for CodeSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeSignIn")
            .field("provider", &self.provider)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

fn authorization_endpoint(provider: &Provider) -> Result<Url, Error> {
    let Some(endpoint) = &provider.authorization_endpoint else {
        let issuer = &provider.issuer;
        let missing = format!("{issuer} names no authorization endpoint");
        return Err(Error::Misconfigured(missing));
    };
    crate::config::endpoint(endpoint)
}
