//! I2 on the web: the refresh token is in a cookie that the browser keeps and no script can read, so
//! the page stays signed in whatever its script remembers. Against the real service behind TLS,
//! because a `__Host-` cookie exists nowhere else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cookie::Cookie;
use reqwest::{Certificate, Client, Response, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenure_lab::deployment::{CLIENT, EMAIL, PASSWORD};
use tenure_lab::process::{Launch, Server};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::certificates::Authority;

/// The service, and what ends TLS in front of it.
struct Site {
    server: Server,
    url: String,
    authority: Authority,
    _data: TempDir,
}

impl Site {
    async fn start() -> Self {
        let (authority, data) = (Authority::new(), TempDir::new().expect("a directory"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let url = format!("https://{address}");
        let launch = Launch::tenure(data.path()).expect("the binary");
        let server = launch.env("TENURE_ISSUER", &url).start().expect("started");
        let behind = server.listen().parse().expect("an address");
        tokio::spawn(end_tls(
            listener,
            authority.acceptor("127.0.0.1", &[]),
            behind,
        ));
        Self {
            server,
            url,
            authority,
            _data: data,
        }
    }

    async fn pass(&self, seconds: u64) {
        let passed = self.server.advance_clock(seconds).await;
        passed.expect("the clock moves");
    }
}

async fn end_tls(listener: TcpListener, acceptor: tokio_rustls::TlsAcceptor, behind: SocketAddr) {
    while let Ok((visitor, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let mut visitor = acceptor.accept(visitor).await.expect("TLS");
            let mut server = TcpStream::connect(behind).await.expect("connected");
            // Either side may close first.
            drop(copy_bidirectional(&mut visitor, &mut server).await);
        });
    }
}

/// A page of the site; the clones are tabs of one browser, which has one cookie for all.
#[derive(Clone)]
struct Page {
    http: Client,
    site: String,
    /// Kept by the browser.
    cookie: Arc<Mutex<Option<Cookie<'static>>>>,
    /// In a variable of the script.
    access: Option<String>,
}

impl Page {
    fn open(site: &Site) -> Self {
        let trusted = Certificate::from_pem(site.authority.pem.as_bytes()).expect("a certificate");
        let http = Client::builder().no_proxy().tls_certs_only([trusted]);
        Self {
            http: http.build().expect("a client"),
            site: site.url.clone(),
            cookie: Arc::default(),
            access: None,
        }
    }

    async fn signed_in(site: &Site) -> Self {
        let mut page = Self::open(site);
        let login = json!({
            "email": EMAIL, "password": PASSWORD, "client_id": CLIENT, "mode": "cookie",
        });
        assert_eq!(page.post("login", &login).await, StatusCode::OK);
        page
    }

    fn cookie(&self) -> Option<Cookie<'static>> {
        self.cookie.lock().expect("not poisoned").clone()
    }

    /// Closed and opened again: the script has forgotten everything.
    fn reload(&mut self) {
        self.access = None;
    }

    async fn refresh(&mut self) -> StatusCode {
        self.post("refresh", &json!({ "mode": "cookie" })).await
    }

    async fn post(&mut self, route: &str, body: &Value) -> StatusCode {
        let request = self.http.post(format!("{}/api/auth/{route}", self.site));
        let request = request
            .header(header::ORIGIN, &self.site)
            .header("sec-fetch-site", "same-origin")
            .header("x-tenure-csrf", "1");
        let request = match self.cookie() {
            Some(cookie) => request.header(header::COOKIE, cookie.stripped().to_string()),
            None => request,
        };
        let answer = request.json(body).send().await.expect("an answer");
        let status = answer.status();
        self.keep_cookie(&answer);
        // A sign-out answers nothing.
        let body: Value = answer.json().await.unwrap_or_default();
        assert!(
            body.get("refresh_token").is_none(),
            "a script could read it"
        );
        self.access = body["access_token"].as_str().map(str::to_owned);
        status
    }

    /// A browser drops a cookie of this name that is not pinned to the host and to TLS.
    fn keep_cookie(&self, answer: &Response) {
        let Some(set) = answer.headers().get(header::SET_COOKIE) else {
            return;
        };
        let set = set.to_str().expect("text").to_owned();
        let cookie = Cookie::parse(set).expect("a cookie");
        assert_eq!(cookie.name(), "__Host-tenure_refresh");
        let pinned = (cookie.secure(), cookie.path(), cookie.domain());
        assert_eq!(pinned, (Some(true), Some("/"), None));
        assert_eq!(cookie.http_only(), Some(true));
        *self.cookie.lock().expect("not poisoned") = Some(cookie);
    }

    /// What the API says to the access token that the script has.
    async fn me(&self) -> StatusCode {
        let request = self.http.get(format!("{}/api/auth/me", self.site));
        let access = self.access.as_deref().unwrap_or_default();
        let answer = request.bearer_auth(access).send().await;
        answer.expect("an answer").status()
    }
}

#[tokio::test]
async fn a_page_refreshes_by_its_cookie_every_quarter_of_an_hour() {
    let site = Site::start().await;
    let mut page = Page::signed_in(&site).await;
    let first = page.cookie();
    for quarter in 0..8 {
        assert_eq!(page.me().await, StatusCode::OK, "{quarter}");
        site.pass(15 * 60 + 1).await;
        assert_eq!(page.me().await, StatusCode::UNAUTHORIZED, "{quarter}");
        assert_eq!(page.refresh().await, StatusCode::OK, "{quarter}");
    }
    assert_ne!(page.cookie(), first, "it rotates");
}

#[tokio::test]
async fn a_page_that_is_opened_again_after_hours_is_signed_in() {
    let site = Site::start().await;
    let mut page = Page::signed_in(&site).await;
    for pause in [16 * 60, 3600, 20 * 3600] {
        page.reload();
        site.pass(pause).await;
        assert_eq!(page.me().await, StatusCode::UNAUTHORIZED);
        assert_eq!(page.refresh().await, StatusCode::OK, "after {pause} s");
        assert_eq!(page.me().await, StatusCode::OK, "after {pause} s");
    }
}

#[tokio::test]
async fn all_tabs_refresh_at_once_and_every_one_of_them_goes_on() {
    let site = Site::start().await;
    let page = Page::signed_in(&site).await;
    for quarter in 0..4 {
        site.pass(15 * 60 + 1).await;
        let mut tabs = JoinSet::new();
        for _ in 0..8 {
            let mut tab = page.clone();
            tabs.spawn(async move { (tab.refresh().await, tab.me().await) });
        }
        let answers = tabs.join_all().await;
        assert_eq!(answers, [(StatusCode::OK, StatusCode::OK); 8], "{quarter}");
    }
}

#[tokio::test]
async fn without_its_cookie_or_after_signing_out_a_page_is_at_the_sign_in() {
    let site = Site::start().await;
    let mut page = Page::signed_in(&site).await;
    let mut other_browser = Page::open(&site);
    assert_eq!(other_browser.refresh().await, StatusCode::BAD_REQUEST);
    let kept = page.cookie();
    let signed_out = page.post("logout", &json!({ "mode": "cookie" })).await;
    assert!(signed_out.is_success(), "{signed_out}");
    page.cookie = Arc::new(Mutex::new(kept));
    assert_eq!(page.refresh().await, StatusCode::BAD_REQUEST, "it is over");
}
