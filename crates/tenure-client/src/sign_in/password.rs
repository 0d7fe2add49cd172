//! The service's own login route, for programs with a login screen of their own.

use serde::Serialize;
use tenure_core::secret::Secret;

use crate::endpoint::post;
use crate::{Error, Session};

#[derive(Serialize)]
struct Login<'a> {
    email: &'a str,
    password: &'a Secret,
    client_id: &'a str,
}

impl Session {
    /// Signs in with e-mail and password: `POST {issuer}/api/auth/login`. The
    /// password is taken over and wiped.
    pub async fn sign_in_password(&self, email: &str, password: Secret) -> Result<(), Error> {
        let provider = self.discovered().await?;
        let config = self.config();
        let login = Login {
            email,
            password: &password,
            client_id: &config.client_id,
        };
        let body = serde_json::to_string(&login)
            .map_err(|error| Error::Misconfigured(error.to_string()))?;
        let route = format!("{}/api/auth/login", config.issuer);
        let request = post(&route, "application/json", body)?;
        self.complete(request, provider).await
    }
}
