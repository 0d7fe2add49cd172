//! Links sent by mail, for programs with a login screen of their own.

use serde::Serialize;
use tenure_core::secret::Secret;
use url::Url;

use super::unsuccessful;
use crate::discovery::LONGEST_ANSWER;
use crate::endpoint::json;
use crate::{Error, Session};

#[derive(Serialize)]
struct Asked<'a> {
    email: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<&'a str>,
}

#[derive(Serialize)]
struct Redeemed<'a> {
    token: &'a Secret,
}

impl Session {
    /// Asks for a sign-in link: `POST {issuer}/api/auth/magic-link`.
    ///
    /// The mail's link leads to `redirect_uri`, which must be registered for the client, with
    /// `?token=` added. Without one it leads to a page of the service: then the person copies the
    /// link into the program. Whether there is such an account is not told.
    pub async fn request_magic_link(
        &self,
        email: &str,
        redirect_uri: Option<&str>,
    ) -> Result<(), Error> {
        let config = self.config();
        let asked = Asked {
            email,
            client_id: &config.client_id,
            redirect_uri,
        };
        let route = format!("{}/api/auth/magic-link", config.issuer);
        let request = json(&route, &asked)?;
        let answer = config.transport.send(request, LONGEST_ANSWER).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(unsuccessful(&answer, &config.endpoint.dialect()))
    }

    /// Signs in with the link from the mail, or with the `token` in it:
    /// `POST {issuer}/api/auth/magic-link/redeem`. A link works once; it is taken over and wiped.
    pub async fn sign_in_magic_link(&self, link: Secret) -> Result<(), Error> {
        let provider = self.discovered().await?;
        let token = token(link);
        let route = format!("{}/api/auth/magic-link/redeem", self.config().issuer);
        let request = json(&route, &Redeemed { token: &token })?;
        self.complete(request, provider).await
    }
}

/// The token in a link; what is no link is the token itself.
fn token(link: Secret) -> Secret {
    let found = Url::parse(link.expose().trim()).ok().and_then(|url| {
        let mut pairs = url.query_pairs();
        let token = pairs.find(|(name, _)| name == "token")?;
        Some(Secret::new(token.1.into_owned()))
    });
    found.unwrap_or(link)
}

#[cfg(test)]
mod tests {
    use tenure_core::secret::Secret;

    use super::token;

    #[test]
    fn the_token_is_found_in_any_link_and_stands_for_itself() {
        for link in [
            "t-1_x",
            "https://id.example.com/auth/magic?token=t-1_x",
            "com.example.app:/signed-in?a=b&token=t-1_x\n",
        ] {
            assert_eq!(token(Secret::new(link)), Secret::new("t-1_x"), "{link}");
        }
    }
}
