//! Git's credential protocol: attributes as lines, `name=value` (git-credential(1)).

use std::io::{self, Read as _};

use tenure_client::{AccessToken, Millis, Secret};
use url::Url;

use super::Lender;
use crate::cli::GitOperation;
use crate::failure::Failure;
use crate::print;
use crate::profile::settle;

/// Far more than git has to say.
const LONGEST: u64 = 256 * 1024;

/// Answers git.
pub(super) async fn answer(operation: GitOperation, lender: &Lender) -> Result<(), Failure> {
    let asked = Asked::read()?;
    match operation {
        GitOperation::Get => get(&asked, lender).await,
        GitOperation::Erase => erase(asked, lender).await,
        // The vault has what git would like to be stored.
        GitOperation::Other => Ok(()),
    }
}

/// Says nothing for a server that is not allowed: git goes on to its next helper.
async fn get(asked: &Asked, lender: &Lender) -> Result<(), Failure> {
    let Some(server) = asked.server() else {
        return Ok(());
    };
    let Some(session) = lender.session(&server).await? else {
        return Ok(());
    };
    let token = lender.token(&session).await?;
    let secret = token.token.expose();
    if asked.bearer() {
        // Not for another helper to keep: this one has a fresh one next time.
        print::line("capability[]=authtype\nauthtype=Bearer\nephemeral=1")?;
        print::line(format_args!("credential={secret}"))?;
    } else {
        let username = asked.username.as_ref().unwrap_or(&lender.username);
        print::line(format_args!("username={username}\npassword={secret}"))?;
    }
    let expiry = token.expires_at.0 / 1000;
    Ok(print::line(format_args!("password_expiry_utc={expiry}"))?)
}

/// The server refused the token: if it is the current one, it is replaced, but not again and again.
async fn erase(asked: Asked, lender: &Lender) -> Result<(), Failure> {
    let (Some(server), Some(token)) = (asked.server(), asked.secret) else {
        return Ok(());
    };
    let Some(session) = lender.session(&server).await? else {
        return Ok(());
    };
    let expires_at = Millis(0);
    let refused = AccessToken { token, expires_at };
    let another = session.access_token_instead_of(&refused).await;
    another.map_err(|error| lender.profile.told(error))?;
    settle(&session).await;
    Ok(())
}

/// What git says of the server that it talks to.
#[derive(Default)]
struct Asked {
    protocol: Option<String>,
    host: Option<String>,
    username: Option<String>,
    /// With `erase`: what was refused.
    secret: Option<Secret>,
    /// Git can send other things than user name and password (2.46 and later).
    authtype: bool,
    /// The schemes that the server offers.
    offered: Vec<String>,
}

impl Asked {
    fn read() -> Result<Self, Failure> {
        let mut text = String::new();
        io::stdin().lock().take(LONGEST).read_to_string(&mut text)?;
        let text = zeroize::Zeroizing::new(text);
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut asked = Self::default();
        let lines = text.lines().take_while(|line| !line.is_empty());
        for (name, value) in lines.filter_map(|line| line.split_once('=')) {
            match name {
                "protocol" => asked.protocol = Some(value.to_owned()),
                "host" => asked.host = Some(value.to_owned()),
                "username" => asked.username = Some(value.to_owned()),
                "password" | "credential" => asked.secret = Some(Secret::new(value)),
                "capability[]" => asked.authtype |= value == "authtype",
                "wwwauth[]" => asked
                    .offered
                    .extend(value.split_whitespace().next().map(scheme)),
                _ => {}
            }
        }
        asked
    }

    fn server(&self) -> Option<Url> {
        let (protocol, host) = (self.protocol.as_ref()?, self.host.as_ref()?);
        Url::parse(&format!("{protocol}://{host}/")).ok()
    }

    /// Basic goes through more servers; Bearer where nothing else is offered.
    fn bearer(&self) -> bool {
        let offered = |name: &str| self.offered.iter().any(|scheme| scheme == name);
        self.authtype && offered("bearer") && !offered("basic")
    }
}

fn scheme(text: &str) -> String {
    text.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn a_question_ends_at_an_empty_line() {
        let asked = Asked::parse("protocol=https\nhost=git.example.com:8443\n\nhost=evil\n");
        let server = asked.server().unwrap();
        assert_eq!(server.as_str(), "https://git.example.com:8443/");
        assert!(Asked::parse("host=git.example.com\n").server().is_none());
    }

    #[test]
    fn bearer_is_for_servers_that_offer_nothing_else() {
        let offering = |lines: &str| Asked::parse(lines).bearer();
        assert!(offering(
            "capability[]=authtype\nwwwauth[]=Bearer realm=\"x\"\n"
        ));
        assert!(!offering("wwwauth[]=Bearer\n"), "this git cannot");
        assert!(!offering(
            "capability[]=authtype\nwwwauth[]=Bearer\nwwwauth[]=Basic\n"
        ));
    }
}
