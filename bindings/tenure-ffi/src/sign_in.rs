//! Signing in.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tenure_client::{Granted, Secret};
use tokio::sync::Mutex;

use crate::runtime::on_runtime;
use crate::{Session, TenureError};

/// A sign-in that waits for a person with a browser. Letting go of it gives it up.
#[derive(Debug, uniffi::Object)]
pub struct DeviceSignIn(tenure_client::DeviceSignIn);

#[uniffi::export]
impl DeviceSignIn {
    /// What the person types, as it should be shown.
    pub fn user_code(&self) -> String {
        self.0.user_code().to_owned()
    }

    /// Where the person types it.
    pub fn verification_uri(&self) -> String {
        self.0.verification_uri().to_owned()
    }

    /// The same with the code in it, for a link or a QR code, if the service has one.
    pub fn verification_uri_complete(&self) -> Option<String> {
        self.0.verification_uri_complete().map(str::to_owned)
    }

    /// Waits for the decision, and signs in. It may be cancelled and called again.
    pub async fn wait(&self) -> Result<(), TenureError> {
        on_runtime(async { Ok(self.0.wait().await?) }).await
    }
}

/// A sign-in that waits for the browser. Letting go of it gives it up.
#[derive(uniffi::Object)]
pub struct CodeSignIn {
    url: String,
    waiting: Mutex<Option<tenure_client::CodeSignIn>>,
}

impl fmt::Debug for CodeSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address carries `state`.
        f.debug_struct("CodeSignIn").finish_non_exhaustive()
    }
}

#[uniffi::export]
impl Session {
    /// Signs in with e-mail and password at the service's own login route.
    pub async fn sign_in_password(&self, email: &str, password: String) -> Result<(), TenureError> {
        on_runtime(async {
            let password = Secret::new(password);
            Ok(self.client().sign_in_password(email, password).await?)
        })
        .await
    }

    /// Signs in at a route of the issuer's own: `POST {issuer}{route}` with `fields` as JSON, and
    /// keeps the tokens in the answer.
    pub async fn sign_in_at(
        &self,
        route: &str,
        fields: HashMap<String, String>,
    ) -> Result<(), TenureError> {
        on_runtime(async {
            let fields: HashMap<_, _> = fields
                .into_iter()
                .map(|(name, value)| (name, Secret::new(value)))
                .collect();
            Ok(self.client().sign_in_at(route, &fields).await?)
        })
        .await
    }

    /// Takes over tokens that the program got by itself, and keeps them refreshed from now on. Nobody
    /// else may present that refresh token any more.
    pub async fn sign_in_tokens(
        &self,
        access_token: String,
        refresh_token: String,
        expires_in_s: Option<u64>,
    ) -> Result<(), TenureError> {
        on_runtime(async {
            let granted = Granted {
                access_token: Secret::new(access_token),
                refresh_token: Some(Secret::new(refresh_token)),
                expires_in: expires_in_s.map(Duration::from_secs),
            };
            Ok(self.client().adopt(granted).await?)
        })
        .await
    }

    /// Asks for a sign-in link by mail. It leads to `redirect_uri`, which must be registered for the
    /// client, or to a page of the service. Whether there is such an account is not told.
    pub async fn request_magic_link(
        &self,
        email: &str,
        redirect_uri: Option<String>,
    ) -> Result<(), TenureError> {
        on_runtime(async {
            let session = self.client();
            Ok(session
                .request_magic_link(email, redirect_uri.as_deref())
                .await?)
        })
        .await
    }

    /// Signs in with the link from the mail, or with the token in it. A link works once.
    pub async fn sign_in_magic_link(&self, link: String) -> Result<(), TenureError> {
        on_runtime(async { Ok(self.client().sign_in_magic_link(Secret::new(link)).await?) }).await
    }

    /// Begins a sign-in for a program without a browser: there is a code to show, and a page on which
    /// a person types it, on any other device.
    pub async fn sign_in_device(&self) -> Result<Arc<DeviceSignIn>, TenureError> {
        on_runtime(async {
            let waiting = self.client().sign_in_device().await?;
            Ok(Arc::new(DeviceSignIn(waiting)))
        })
        .await
    }

    /// Begins a sign-in in the browser: listens on a loopback port and makes the URL to open there.
    pub async fn sign_in_code(&self) -> Result<Arc<CodeSignIn>, TenureError> {
        on_runtime(async {
            let waiting = self.client().sign_in_code().await?;
            Ok(Arc::new(CodeSignIn {
                url: waiting.url().to_string(),
                waiting: Mutex::new(Some(waiting)),
            }))
        })
        .await
    }
}

#[uniffi::export]
impl CodeSignIn {
    /// Where the browser has to go.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Waits until the browser comes back, for as long as it takes, and signs in. Once only.
    pub async fn finish(&self) -> Result<(), TenureError> {
        on_runtime(async {
            let Some(waiting) = self.waiting.lock().await.take() else {
                let detail = "this sign-in was finished before".to_owned();
                return Err(TenureError::Misconfigured { detail });
            };
            Ok(waiting.finish().await?)
        })
        .await
    }
}
