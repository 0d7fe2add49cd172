//! The SDK's sign-ins against `tenure serve`, two of them through a real browser.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

mod guide;
mod tauri;

use std::path::Path;

use serde_json::Value;
use tenure_client::{Error, Session, State};
use tenure_lab::actor::Browser;
use tenure_lab::chromium::{Chromium, Scripts};
use tenure_lab::deployment::{Deployment, EMAIL, PASSWORD};
use tenure_lab::proxy::Fault;
use tenure_lab::skip;
use tokio::sync::oneshot;

use self::tauri::{App, Shown};

/// A deployment whose devices may ask every second.
async fn deployment() -> Deployment {
    let hurry = |launch: tenure_lab::process::Launch, _: &Path| {
        Ok(launch.env("TENURE_DEVICE_INTERVAL", "1s"))
    };
    Deployment::start_with(hurry).await.unwrap()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn session(deployment: &Deployment) -> Session {
    let profile = deployment.directory().join("profile");
    guide::open(&deployment.issuer(), &profile).await.unwrap()
}

/// Whose session it is, as the service sees it.
async fn whose(deployment: &Deployment, session: &Session) -> String {
    let token = session.access_token().await.unwrap();
    let first_party = deployment.first_party().unwrap();
    let me = first_party.me(token.token.expose()).await.unwrap().unwrap();
    me["email"].as_str().unwrap().to_owned()
}

async fn sessions_started(deployment: &Deployment) -> usize {
    let trail = deployment.audit().await.unwrap();
    let started = trail
        .iter()
        .filter(|event| event["event"] == "session_started");
    started.count()
}

/// The newest link in the outbox. What is mailed is mailed after the answer.
async fn mailed_link(deployment: &Deployment) -> String {
    let http = http();
    let url = format!("{}/dev/outbox", deployment.server.url());
    loop {
        let asked = http.get(&url).header("accept", "application/json");
        let outbox: Value = asked.send().await.unwrap().json().await.unwrap();
        if let Some(text) = outbox["mails"][0]["text"].as_str() {
            let mut words = text.split_whitespace();
            return words
                .find(|word| word.contains("?token="))
                .unwrap()
                .to_owned();
        }
        tokio::task::yield_now().await;
    }
}

async fn sign_in_on_the_page(browser: &mut Chromium) {
    browser.fill("E-mail", EMAIL).await.unwrap();
    browser.fill("Password", PASSWORD).await.unwrap();
    browser.press("Sign in").await.unwrap();
}

/// Types the code into the page, and allows it.
async fn allow(scripts: Scripts, page: &str, user_code: &str) {
    let mut browser = Chromium::start(scripts).await.unwrap();
    browser.open(page).await.unwrap();
    sign_in_on_the_page(&mut browser).await;
    let typed = user_code.to_lowercase().replace('-', " ");
    browser.fill("Code", &typed).await.unwrap();
    browser.press("Go on").await.unwrap();
    let asked = browser.look().await.unwrap();
    for shown in [
        user_code,
        EMAIL,
        "Demo app",
        "Stay connected while you are away",
    ] {
        assert!(asked.text.contains(shown), "{shown}: {asked:?}");
    }
    browser.press("Allow").await.unwrap();
    let done = browser.look().await.unwrap();
    assert_eq!(done.title, "Device connected", "{done:?}");
    browser.close().await.unwrap();
}

#[tokio::test]
async fn a_person_signs_in_with_code_and_pkce_in_a_real_browser() {
    if let Some(why) = Chromium::obstacle() {
        return skip(&why).unwrap();
    }
    let deployment = deployment().await;
    let session = session(&deployment).await;
    let (tell, told) = oneshot::channel();
    let person = async {
        let url: String = told.await.unwrap();
        let mut browser = Chromium::start(Scripts::On).await.unwrap();
        browser.open(&url).await.unwrap();
        sign_in_on_the_page(&mut browser).await;
        let back = browser.look().await.unwrap();
        assert!(back.url.starts_with("http://127.0.0.1:"), "{back:?}");
        assert_eq!(back.text, "Done. You can close this window.");
        browser.close().await.unwrap();
    };
    let program = guide::in_the_browser(&session, |url| tell.send(url.to_owned()).unwrap());
    let (signed_in, ()) = tokio::join!(program, person);
    signed_in.unwrap();
    assert_eq!(whose(&deployment, &session).await, EMAIL);
}

#[tokio::test]
async fn a_person_allows_a_device_in_a_real_browser_without_javascript() {
    if let Some(why) = Chromium::obstacle() {
        return skip(&why).unwrap();
    }
    let deployment = deployment().await;
    let session = session(&deployment).await;
    let (tell, told) = oneshot::channel();
    let person = async {
        let (page, user_code): (String, String) = told.await.unwrap();
        allow(Scripts::Off, &page, &user_code).await;
    };
    let show = |page: &str, user_code: &str| {
        tell.send((page.to_owned(), user_code.to_owned())).unwrap();
    };
    let program = guide::on_another_device(&session, show);
    let (signed_in, ()) = tokio::join!(program, person);
    signed_in.unwrap();
    assert_eq!(whose(&deployment, &session).await, EMAIL);
    assert_eq!(sessions_started(&deployment).await, 1);
}

#[tokio::test]
async fn a_device_whose_tokens_are_lost_on_the_way_is_signed_in_all_the_same() {
    if let Some(why) = Chromium::obstacle() {
        return skip(&why).unwrap();
    }
    let deployment = deployment().await;
    let session = session(&deployment).await;
    let sign_in = session.sign_in_device().await.unwrap();
    allow(Scripts::On, sign_in.verification_uri(), sign_in.user_code()).await;
    let status = Fault::status(502, &[], "<h1>Bad gateway</h1>").unwrap();
    deployment.proxy.next("/oauth2/token", status, 1);
    deployment
        .proxy
        .next("/oauth2/token", Fault::SwallowAnswer, 1);
    sign_in.wait().await.unwrap();
    assert_eq!(deployment.proxy.pending(), 0);
    assert_eq!(whose(&deployment, &session).await, EMAIL);
    assert_eq!(sessions_started(&deployment).await, 1);
    session.sign_out().await.unwrap();
}

#[tokio::test]
async fn a_person_signs_in_with_a_password() {
    let deployment = deployment().await;
    let session = session(&deployment).await;
    let wrong = guide::with_a_password(&session, EMAIL, "wrong".to_owned()).await;
    let wrong = wrong.unwrap_err();
    assert!(matches!(&wrong, Error::SignInRefused { code, .. } if code == "invalid_credentials"));
    assert_eq!(guide::advice(&wrong), "You were not signed in.");
    let signed_in = guide::with_a_password(&session, EMAIL, PASSWORD.to_owned());
    signed_in.await.unwrap();
    assert_eq!(whose(&deployment, &session).await, EMAIL);
}

#[tokio::test]
async fn a_person_signs_in_with_the_link_from_a_mail_once() {
    let deployment = deployment().await;
    let session = session(&deployment).await;
    guide::ask_for_a_link(&session, EMAIL).await.unwrap();
    let link = mailed_link(&deployment).await;
    guide::with_a_link(&session, link.clone()).await.unwrap();
    assert_eq!(whose(&deployment, &session).await, EMAIL);
    let again = guide::with_a_link(&session, link).await.unwrap_err();
    assert!(
        matches!(&again, Error::SignInRefused { code, .. } if code == "invalid_grant"),
        "{again}"
    );
    assert!(matches!(session.state(), State::Active { .. }));
    let nobody = session.request_magic_link("not an address", None).await;
    assert!(
        matches!(nobody, Err(Error::SignInRefused { .. })),
        "{nobody:?}"
    );
}

#[tokio::test]
async fn an_app_with_a_window_signs_in_and_out() {
    let deployment = deployment().await;
    let issuer = deployment.issuer();
    let app = App::start(&issuer, deployment.directory()).await.unwrap();
    let shown = parking_lot::Mutex::new(Vec::new());
    let following = app.follow(|state| shown.lock().push(state.clone()));
    let used = async {
        let (tell, told) = oneshot::channel();
        let person = async {
            let url: String = told.await.unwrap();
            let browser = Browser::new().unwrap();
            let url: url::Url = url.parse().unwrap();
            let mut asked = url.query_pairs();
            let (_, home) = asked.find(|(name, _)| name == "redirect_uri").unwrap();
            let back = browser.sign_in(url.clone(), EMAIL, PASSWORD, &home);
            let back = back.await.unwrap();
            assert!(http().get(back).send().await.unwrap().status().is_success());
        };
        let sign_in = app.sign_in(|url| tell.send(url.to_owned()).unwrap());
        let (signed_in, ()) = tokio::join!(sign_in, person);
        signed_in.unwrap();
        app.token().await.unwrap();
        app.sign_out().await.unwrap();
    };
    tokio::select! {
        () = following => panic!("the session went away"),
        () = used => {}
    }
    let shown = shown.into_inner();
    assert!(
        matches!(shown.first(), Some(Shown::SignedOut { .. })),
        "{shown:?}"
    );
    assert!(shown.contains(&Shown::SignedIn), "{shown:?}");
}

/// Every Rust example of a guide stands in a file that is compiled and run here.
#[test]
fn the_guides_show_what_runs_here() {
    let guides = [
        (
            include_str!("../../../../docs/guides/sign-in.md"),
            include_str!("guide.rs"),
        ),
        (
            include_str!("../../../../docs/guides/tauri.md"),
            include_str!("tauri.rs"),
        ),
    ];
    for (guide, program) in guides {
        let program = program.replace("pub(crate) ", "");
        let mut examples = guide.split("```rust\n").skip(1).peekable();
        assert!(examples.peek().is_some(), "the guide has examples");
        for example in examples {
            let (example, _) = example.split_once("```").unwrap();
            assert!(program.contains(example.trim()), "{example}");
        }
    }
}
