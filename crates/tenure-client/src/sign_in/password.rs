//! The service's own login route, for programs with a login screen of their own.

use serde::Serialize;
use tenure_core::secret::Secret;

use crate::endpoint::json;
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
        let route = format!("{}/api/auth/login", config.issuer);
        self.complete(json(&route, &login)?, provider).await
    }
}
