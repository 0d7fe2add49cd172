//! What kind of service it is.

use tenure_client::{Cognito, Dialect, ErrorPattern, JsonRoutes, OAuth2, RefreshEndpoint};

use crate::TenureError;

/// How a service wants to be asked for new tokens.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Endpoint {
    /// OAuth 2 or OpenID Connect, by the metadata that the issuer publishes.
    OAuth2,
    /// Routes of an API's own that take and give JSON. The issuer is the URL in front of them; fields
    /// are paths with dots, such as `data.token`.
    Json {
        /// The path of the refresh, such as `/api/auth/refresh`; the field in which it wants the
        /// token is the last name of `refresh_token`.
        refresh: String,
        /// The path of the sign-out, if there is one.
        #[uniffi(default = None)]
        logout: Option<String>,
        /// Field of the access token.
        #[uniffi(default = "accessToken")]
        access_token: String,
        /// Field of the refresh token.
        #[uniffi(default = "refreshToken")]
        refresh_token: String,
        /// Field of the access token's lifetime in seconds.
        #[uniffi(default = "expiresIn")]
        expires_in: String,
        /// Field of the error code.
        #[uniffi(default = "error")]
        error: String,
        /// The error codes that end the session; for any other it is kept. Those of OAuth if empty.
        #[uniffi(default = [])]
        ends: Vec<String>,
    },
    /// Amazon Cognito; the issuer is the user pool's.
    Cognito {
        /// Refreshes with `InitiateAuth` instead of `GetTokensFromRefreshToken`.
        #[uniffi(default = false)]
        initiate_auth: bool,
        /// Hands out the ID token instead of the access token.
        #[uniffi(default = false)]
        id_token: bool,
    },
}

impl Endpoint {
    pub(crate) fn apply(
        self,
        config: tenure_client::Config,
    ) -> Result<tenure_client::Config, TenureError> {
        match self {
            Self::OAuth2 => Ok(config.endpoint(OAuth2::new())),
            Self::Json {
                refresh,
                logout,
                access_token,
                refresh_token,
                expires_in,
                error,
                ends,
            } => {
                let mut dialect = Dialect {
                    access_token: access_token.into(),
                    refresh_token: refresh_token.into(),
                    expires_in: expires_in.into(),
                    error: error.into(),
                    ..Dialect::CAMEL_CASE
                };
                if !ends.is_empty() {
                    dialect.ends = ends.into_iter().map(pattern).collect();
                }
                let mut routes = JsonRoutes::new(&refresh, dialect)?;
                if let Some(logout) = logout {
                    routes = routes.logout(&logout)?;
                }
                Ok(config.endpoint(routes))
            }
            Self::Cognito {
                initiate_auth,
                id_token,
            } => Ok(config.endpoint(cognito(initiate_auth, id_token))),
        }
    }
}

fn pattern(code: String) -> ErrorPattern {
    ErrorPattern {
        code: code.into(),
        message: None,
    }
}

fn cognito(initiate_auth: bool, id_token: bool) -> impl RefreshEndpoint {
    let mut cognito = Cognito::new();
    if initiate_auth {
        cognito = cognito.initiate_auth();
    }
    if id_token {
        cognito = cognito.id_token();
    }
    cognito
}
