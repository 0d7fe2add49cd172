//! Sessions that begin elsewhere: at an API's own login route, or with tokens that a program got by
//! itself.

use serde::Serialize;
use tenure_core::outcome::Granted;
use tenure_core::session::{Change, Expiry, Tokens};

use crate::endpoint::{json, path};
use crate::{Error, Session};

impl Session {
    /// Signs in at a route of the API's own: `POST {issuer}{route}` with `fields` as JSON. The tokens
    /// in the answer are read in the endpoint's dialect, and kept.
    ///
    /// `route` begins with a slash; it may be anything that answers with tokens: a password, a code
    /// from a letter, the last step of something longer.
    pub async fn sign_in_at(&self, route: &str, fields: &impl Serialize) -> Result<(), Error> {
        let provider = self.discovered().await?;
        let url = format!("{}{}", self.config().issuer, path(route)?);
        self.complete(json(&url, fields)?, provider).await
    }

    /// Takes over tokens that the program got by itself, and keeps them refreshed from now on.
    ///
    /// Nobody else may present that refresh token any more: where it rotates, there is only one
    /// holder. A session that was there before is replaced.
    pub async fn adopt(&self, granted: Granted) -> Result<(), Error> {
        let blank = granted.access_token.is_blank();
        let granted = Granted {
            refresh_token: granted.refresh_token.filter(|token| !token.is_blank()),
            ..granted
        };
        let now = self.now();
        let assumed = self.config().policy.assumed_lifetime;
        let lifetime = granted.expires_in.unwrap_or(assumed);
        let expiry = Expiry::new(now, lifetime.into(), None, now);
        let tokens = Tokens::new(granted, expiry).filter(|_| !blank);
        let tokens = tokens.ok_or_else(|| {
            Error::Misconfigured("a session needs an access token and a refresh token".into())
        })?;
        let provider = self.discovered().await?;
        let session = self.clone();
        let change = Change::SignIn { tokens, provider };
        let work = tokio::spawn(async move { session.driver().commit(change).await });
        work.await
            .map_err(|panic| Error::StorageUnavailable(panic.to_string()))??;
        Ok(())
    }
}
