//! Docker's credential-helper protocol: one operation, one document on stdin, one on stdout; what
//! goes wrong is said on stdout, too, because docker shows that.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use tenure_client::Secret;
use url::Url;

use super::Lender;
use crate::cli::DockerOperation;
use crate::failure::Failure;
use crate::print;

/// Far more than docker has to say.
const LONGEST: u64 = 256 * 1024;

/// What the protocol wants a helper to say that has nothing: docker goes on without.
const NOT_FOUND: &str = "credentials not found in native keychain";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a Secret,
}

#[derive(Deserialize)]
struct Offered {
    #[serde(rename = "ServerURL")]
    server_url: String,
}

/// Answers docker.
pub(super) async fn answer(operation: DockerOperation, lender: &Lender) -> Result<(), Failure> {
    let mut stdin = String::new();
    if operation != DockerOperation::List {
        io::stdin()
            .lock()
            .take(LONGEST)
            .read_to_string(&mut stdin)?;
    }
    let stdin = zeroize::Zeroizing::new(stdin);
    let answered = match operation {
        DockerOperation::Get => get(stdin.trim(), lender).await,
        DockerOperation::Store => store(&stdin, lender).await,
        // `docker logout` names no token; the session is ended with `tenure logout`.
        DockerOperation::Erase => Ok(()),
        DockerOperation::List => list(lender),
    };
    if let Err(failure) = &answered {
        print::line(failure)?;
    }
    answered
}

async fn get(server_url: &str, lender: &Lender) -> Result<(), Failure> {
    for url in addresses(server_url) {
        if let Some(session) = lender.session(&url).await? {
            let token = lender.token(&session).await?;
            let entry = Entry {
                server_url,
                username: &lender.username,
                secret: &token.token,
            };
            return Ok(print::line(serde_json::to_string(&entry)?)?);
        }
    }
    Err(Failure::Other(anyhow!(NOT_FOUND)))
}

/// The vault has what a session's registry gets; other passwords belong to another helper.
async fn store(stdin: &str, lender: &Lender) -> Result<(), Failure> {
    let offered: Offered = serde_json::from_str(stdin)?;
    let server = &offered.server_url;
    for url in addresses(server) {
        if lender.session(&url).await?.is_some() {
            return Ok(());
        }
    }
    let fix = "give it another helper under credHelpers, or name it in TENURE_ALLOW";
    Err(Failure::Usage(format!(
        "tenure keeps no password for {server}: {fix}"
    )))
}

fn list(lender: &Lender) -> Result<(), Failure> {
    let names = lender
        .origins
        .iter()
        .map(|origin| (origin, &lender.username));
    let names: BTreeMap<_, _> = names.collect();
    Ok(print::line(serde_json::to_string(&names)?)?)
}

/// Docker names a registry by URL, or by host and port alone; plain http is for loopback, which the
/// session sees to.
fn addresses(server: &str) -> Vec<Url> {
    let written = if server.contains("://") {
        vec![server.to_owned()]
    } else {
        vec![format!("https://{server}"), format!("http://{server}")]
    };
    let parsed = written.iter().map(|url| Url::parse(url));
    parsed.filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn a_registry_is_named_by_url_or_by_host() {
        let text = |server| -> Vec<String> {
            let urls = addresses(server).into_iter();
            urls.map(String::from).collect()
        };
        assert_eq!(
            text("https://r.example.com/v2/"),
            ["https://r.example.com/v2/"]
        );
        assert_eq!(
            text("localhost:5000"),
            ["https://localhost:5000/", "http://localhost:5000/"]
        );
    }
}
