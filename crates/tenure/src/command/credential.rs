//! `tenure credential`: the session's token for programs that ask helpers for passwords.

mod docker;
mod git;

use anyhow::Context as _;
use tenure_client::{AccessToken, Session};
use url::{Origin, Url};

use crate::cli::{Asked, Credential};
use crate::failure::Failure;
use crate::profile::{Profile, settle};

/// Answers one question of another program.
pub(crate) async fn credential(args: Credential) -> Result<(), Failure> {
    match args {
        Credential::Git { operation, asked } => git::answer(operation, &Lender::new(asked)?).await,
        Credential::Docker { operation, asked } => {
            docker::answer(operation, &Lender::new(asked)?).await
        }
    }
}

/// A profile whose token goes to some servers and to no others.
struct Lender {
    profile: Profile,
    /// As written, besides the issuer's.
    origins: Vec<String>,
    username: String,
}

impl Lender {
    fn new(asked: Asked) -> Result<Self, Failure> {
        for origin in &asked.origins {
            origin_of(origin)?;
        }
        Ok(Self {
            profile: Profile::new(asked.profile)?,
            origins: asked.origins,
            username: asked.username,
        })
    }

    /// The session, where its token may go to `server`; `None` says that another helper is meant.
    async fn session(&self, server: &Url) -> Result<Option<Session>, Failure> {
        let named = |origin: &String| origin_of(origin).is_ok_and(|named| named == server.origin());
        let mut config = match self.profile.config() {
            Err(Failure::SignIn(_)) if !self.origins.iter().any(named) => return Ok(None),
            config => config?,
        };
        for origin in &self.origins {
            config = config.allow(origin)?;
        }
        let session = self.profile.open(config).await?;
        let uri = server.as_str().parse().context("the server's address")?;
        Ok(session.allows(&uri).then_some(session))
    }

    async fn token(&self, session: &Session) -> Result<AccessToken, Failure> {
        let token = session.access_token().await;
        let token = token.map_err(|error| self.profile.told(error))?;
        settle(session).await;
        // What is printed is lines: a token must not be able to add some.
        if token.token.expose().contains(char::is_control) {
            let odd = "the access token holds control characters; its service is to blame";
            return Err(Failure::Usage(odd.to_owned()));
        }
        Ok(token)
    }
}

fn origin_of(text: &str) -> Result<Origin, Failure> {
    let url = Url::parse(text).map_err(|error| {
        let fix = "write an origin such as https://git.example.com";
        Failure::Usage(format!("--for {text}: {error}; {fix}"))
    })?;
    Ok(url.origin())
}
