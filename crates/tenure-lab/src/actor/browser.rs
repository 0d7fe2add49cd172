//! A browser of one origin: cookies, pages with forms, redirects that it reports.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, bail, ensure};
use parking_lot::Mutex;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{RequestBuilder, Response};
use url::Url;

use super::form::Form;
use super::http;

/// More pages than any sign-in has; a longer way is a loop.
const MOST_STEPS: usize = 10;

/// Keeps cookies from page to page, also `Secure` ones over loopback http, as browsers do.
pub struct Browser {
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    /// A browser without cookies.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            http: http()?,
            cookies: Mutex::default(),
        })
    }

    /// The names of the cookies it holds.
    pub fn cookies(&self) -> Vec<String> {
        self.cookies.lock().keys().cloned().collect()
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().get(name).cloned()
    }

    /// Opens `url`, answers the forms on the way (e-mail and password, then consent) and returns
    /// the first redirect that leads to `destination`, without opening it.
    ///
    /// # Errors
    /// When a page is neither a form nor a redirect, the sign-in form comes a second time (wrong
    /// password), or the way is too long.
    pub async fn sign_in(
        &self,
        url: Url,
        email: &str,
        password: &str,
        destination: &str,
    ) -> anyhow::Result<Url> {
        let mut request = self.http.get(url.clone());
        let mut here = url;
        let mut signed_in = false;
        for _ in 0..MOST_STEPS {
            let response = self.send(request).await?;
            if response.status().is_redirection() {
                let next = redirect(&here, &response)?;
                if next.as_str().starts_with(destination) {
                    return Ok(next);
                }
                request = self.http.get(next.clone());
                here = next;
                continue;
            }
            let status = response.status();
            let page = response.text().await?;
            ensure!(
                status.is_success(),
                "{} answered {status}: {page}",
                here.path()
            );
            let form =
                Form::to_sign_in(&page).with_context(|| format!("no form on {}", here.path()))?;
            if form.has("password") {
                ensure!(!signed_in, "the sign-in form came again: {page}");
                signed_in = true;
            }
            here = here.join(&form.action)?;
            request = self
                .http
                .post(here.clone())
                .form(&form.filled_in(email, password));
        }
        bail!("{MOST_STEPS} pages and no redirect to {destination}")
    }

    /// Opens one address with the cookies, and keeps the ones it sets.
    ///
    /// # Errors
    /// When no answer arrives.
    pub async fn open(&self, url: Url) -> anyhow::Result<Response> {
        self.send(self.http.get(url)).await
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = if cookies.is_empty() {
            request
        } else {
            request.header(COOKIE, cookies.join("; "))
        };
        let response = request.send().await?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.keep(cookie.to_str()?);
        }
        Ok(response)
    }

    fn keep(&self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let removed = parts.any(|part| part.eq_ignore_ascii_case("max-age=0"));
        let mut cookies = self.cookies.lock();
        if removed {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("cookies", &self.cookies())
            .finish_non_exhaustive()
    }
}

fn redirect(here: &Url, response: &Response) -> anyhow::Result<Url> {
    let location = response
        .headers()
        .get(LOCATION)
        .context("a redirect without Location")?;
    Ok(here.join(location.to_str()?)?)
}
