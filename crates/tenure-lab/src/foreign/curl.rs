//! `curl` with a cookie jar: one process a request, its options on stdin.

use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use url::Url;

use crate::actor::Form;
use crate::process::find;

/// More pages than any sign-in has; a longer way is a loop.
const MOST_STEPS: usize = 10;

/// Curl's own code for "no answer at all".
const EMPTY_REPLY: i32 = 52;

/// A person with `curl` and a cookie jar.
#[derive(Debug)]
pub struct Curl {
    directory: TempDir,
}

/// An answer as `curl --include` prints it.
#[derive(Debug, Clone)]
pub struct CurlAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Header lines: name in lower case, and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl CurlAnswer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A text member of the body.
    pub fn text(&self, member: &str) -> Option<String> {
        self.json()
            .get(member)
            .and_then(Value::as_str)
            .map(str::to_owned)
    }
}

impl Curl {
    /// Why it cannot be run here, if it cannot.
    pub fn obstacle() -> Option<String> {
        find("curl")
            .is_none()
            .then(|| "curl is not installed".to_owned())
    }

    /// Curl with an empty cookie jar.
    ///
    /// # Errors
    /// When there is no temporary directory.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            directory: TempDir::new()?,
        })
    }

    /// One request, with further options of curl and their values. `None` if no whole answer
    /// arrived.
    ///
    /// # Errors
    /// When curl cannot be started or prints something else than an answer.
    pub async fn request(
        &self,
        url: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Option<CurlAnswer>> {
        let jar = self.directory.path().join("cookies");
        let jar = jar.to_str().context("a path that is not text")?;
        let fixed = [
            ("url", url),
            ("noproxy", "*"),
            ("cookie", jar),
            ("cookie-jar", jar),
        ];
        let options: Vec<_> = fixed
            .iter()
            .chain(settings)
            .map(|(option, value)| format!("{option} = \"{}\"\n", quoted(value)))
            .collect();
        let mut process = Command::new("curl")
            .args([
                "--disable",
                "--silent",
                "--show-error",
                "--include",
                "--config",
                "-",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = process.stdin.take().context("no stdin")?;
        stdin.write_all(options.concat().as_bytes()).await?;
        drop(stdin);
        let output = process.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => parse(&String::from_utf8(output.stdout)?).map(Some),
            // 7: nobody listens; 18: a part of the body; 56: reset.
            Some(7 | 18 | EMPTY_REPLY | 56) => Ok(None),
            other => bail!("curl ended with {other:?}: {said}"),
        }
    }

    /// Opens the authorization URL, fills in the forms on the way, and returns the first redirect
    /// that leads to `destination`.
    ///
    /// # Errors
    /// When a page is neither a form nor a redirect, or the way is too long.
    pub async fn sign_in(
        &self,
        url: Url,
        email: &str,
        password: &str,
        destination: &str,
    ) -> anyhow::Result<Url> {
        let mut here = url;
        let mut body: Option<String> = None;
        for _ in 0..MOST_STEPS {
            let settings: Vec<_> = body.iter().map(|body| ("data", body.as_str())).collect();
            let answer = self
                .request(here.as_str(), &settings)
                .await?
                .context("no answer")?;
            if let Some(location) = answer.header("location") {
                let next = here.join(location)?;
                if next.as_str().starts_with(destination) {
                    return Ok(next);
                }
                (here, body) = (next, None);
                continue;
            }
            ensure!(
                answer.status == 200,
                "{} answered {}",
                here.path(),
                answer.status
            );
            let form = Form::to_sign_in(&answer.body).context("a page without a form")?;
            here = here.join(&form.action)?;
            let fields = form.filled_in(email, password);
            body = Some(
                url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish(),
            );
        }
        bail!("{MOST_STEPS} pages and no redirect to {destination}")
    }
}

/// A value for a quoted string of curl's configuration format.
fn quoted(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

fn parse(text: &str) -> anyhow::Result<CurlAnswer> {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .context("no end of the header")?;
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status")?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(CurlAnswer {
        status: status.parse()?,
        headers,
        body: body.to_owned(),
    })
}
