//! npm `oidc-provider` with strict rotation: a refresh token is good once, and who presents it twice
//! loses the whole grant. What a client can survive there, and what it cannot.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tenure_client::{Clock as _, EndCause, Error, Granted, OAuth2, Reason, Secret, Session, State};
use tenure_lab::foreign::OidcProvider;
use tenure_lab::process::Port;
use tenure_lab::proxy::{Fault, FaultProxy, Hold};
use tenure_lab::skip;
use tokio::task::JoinSet;
use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Device, failure, token};
use crate::child::Child;

const LIFETIME: u64 = 900;

/// The provider behind the fault proxy, and a device that is signed in there.
struct Scene {
    provider: OidcProvider,
    proxy: FaultProxy,
    device: Device,
    session: Session,
}

impl Scene {
    /// `None` where the provider is missing.
    async fn start() -> Option<Self> {
        Self::start_as("app", OAuth2::new()).await
    }

    async fn start_as(client: &str, endpoint: OAuth2) -> Option<Self> {
        if let Some(why) = OidcProvider::obstacle() {
            skip(&why).unwrap();
            return None;
        }
        let port = Port::reserve().unwrap();
        let proxy = FaultProxy::start(port.address()).await.unwrap();
        let provider = OidcProvider::start(port, &proxy.url()).unwrap();
        let device = Device::new();
        let session = device.open(&proxy.url(), client, endpoint).await;
        let minted = provider.tokens(client).await.unwrap();
        let granted = Granted {
            access_token: Secret::new(minted.access_token),
            refresh_token: Some(Secret::new(minted.refresh_token)),
            expires_in: Some(std::time::Duration::from_secs(LIFETIME)),
        };
        session.adopt(granted).await.unwrap();
        Some(Self {
            provider,
            proxy,
            device,
            session,
        })
    }

    /// Status of every refresh that reached the provider.
    fn refreshes(&self) -> Vec<u16> {
        let log = self.proxy.log().into_iter();
        log.filter(|exchange| exchange.path == "/token")
            .filter_map(|exchange| exchange.upstream_status)
            .collect()
    }

    /// The session refreshes, and the one before is dead: it really is strict.
    async fn goes_on(&self) {
        let before = (token(&self.session).await, self.device.kept());
        self.device.watch.pass(LIFETIME);
        let after = (token(&self.session).await, self.device.kept());
        assert_ne!(before, after);
        assert!(matches!(self.session.state(), State::Active { .. }));
    }
}

#[tokio::test]
async fn it_refreshes_twenty_times_and_eight_tasks_at_expiry_are_one_refresh() {
    let Some(scene) = Scene::start().await else {
        return;
    };
    for _ in 0..20 {
        scene.goes_on().await;
    }
    scene.device.watch.pass(LIFETIME);
    let mut asking = JoinSet::new();
    for _ in 0..8 {
        let session = scene.session.clone();
        asking.spawn(async move { token(&session).await });
    }
    let tokens = asking.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(scene.refreshes(), [200; 21]);
}

#[tokio::test]
async fn trouble_in_front_of_the_provider_costs_nothing() {
    let Some(scene) = Scene::start().await else {
        return;
    };
    let html = "<html>blocked</html>";
    let faults = [
        Fault::status(503, &[("Retry-After", "1")], "").unwrap(),
        Fault::status(429, &[], r#"{"error":"invalid_grant"}"#).unwrap(),
        Fault::status(403, &[], html).unwrap(),
        Fault::status(200, &[("Content-Type", "text/html")], html).unwrap(),
        Fault::status(400, &[], html).unwrap(),
        Fault::ResetBeforeForward,
        Fault::ResetBeforeForward,
    ];
    for fault in faults {
        scene.device.watch.pass(LIFETIME);
        scene.proxy.next("/token", fault.clone(), 1);
        let failure = failure(&scene.session).await;
        assert!(
            matches!(failure, Error::Transient { .. }),
            "{fault:?}: {failure}"
        );
        scene.device.watch.pass(600);
        token(&scene.session).await;
        assert_eq!(scene.proxy.pending(), 0);
    }
    assert_eq!(
        scene.refreshes(),
        [200; 7],
        "the provider never saw the others"
    );
}

#[tokio::test]
async fn a_process_that_is_killed_before_the_provider_saw_its_refresh_loses_nothing() {
    let Some(scene) = Scene::start().await else {
        return;
    };
    scene.device.watch.pass(LIFETIME);
    // Killed before it sent anything.
    let mut process = child(&scene).await;
    process.order("hold begin.before_send").await;
    process.ask(1).await;
    process.says("held").await;
    process.kill().await;
    // Killed while its request was on the way, which never arrived.
    let hold = Hold::default();
    scene
        .proxy
        .next("/token", Fault::HoldRequest(hold.clone()), 1);
    let mut process = child(&scene).await;
    process.ask(1).await;
    hold.arrived(1).await;
    process.kill().await;
    assert_eq!(scene.refreshes(), [0; 0]);

    let mut process = child(&scene).await;
    process.ask(1).await;
    process.answer().await.expect("still signed in");
    assert_eq!(scene.refreshes(), [200]);
}

/// Another process with the same session.
async fn child(scene: &Scene) -> Child {
    let wall = scene.device.watch.wall().0.to_string();
    let (issuer, vault) = (scene.proxy.url(), scene.device.profile());
    let arguments: [&OsStr; 4] = [
        issuer.as_ref(),
        "app".as_ref(),
        vault.as_ref(),
        wall.as_ref(),
    ];
    Child::start(&arguments).await
}

/// Alone in a process, because whether an event is worth recording is decided once for all threads.
#[tokio::test]
async fn a_lost_answer_is_what_nobody_survives_there_and_the_log_says_so() {
    if std::env::var_os("TENURE_TEST_ALONE").is_none() {
        let name = "a_lost_answer_is_what_nobody_survives_there_and_the_log_says_so";
        return alone(&format!("strict_rotation::{name}")).await;
    }
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let Some(scene) = Scene::start().await else {
        return;
    };
    scene.device.watch.pass(LIFETIME);
    scene.proxy.next("/token", Fault::SwallowAnswer, 1);
    let failure_ = failure(&scene.session).await;
    assert!(matches!(failure_, Error::Transient { .. }), "{failure_}");
    assert!(scene.device.kept().is_some(), "nobody knows yet");

    // The provider has a successor that nobody will ever see; it takes the repetition for theft.
    scene.device.watch.pass(60);
    let reason = Reason::Ended(EndCause::Unknown);
    assert_eq!(
        failure(&scene.session).await,
        Error::SignInRequired { reason }
    );
    assert_eq!(scene.refreshes(), [200, 400]);
    assert_eq!(scene.session.state(), State::SignedOut { reason });
    let (text, issuer) = (log.text(), scene.proxy.url());
    let told: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &Value| event["fields"]["message"] == "answer_lost")
        .collect();
    assert_eq!(told.len(), 1, "{text}");
    assert_eq!(told[0]["level"], "WARN");
    assert_eq!(told[0]["fields"]["issuer"], issuer);
}

async fn alone(name: &str) {
    let test = std::env::current_exe().unwrap();
    let mut again = tokio::process::Command::new(test);
    again.args(["--exact", name]).env("TENURE_TEST_ALONE", "1");
    // Captured, so that its result is not counted a second time.
    let run = again.output().await.unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}");
}

/// What was logged.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_confidential_client_proves_who_it_is_and_a_wrong_secret_ends_nothing() {
    let right = OAuth2::new().secret(Secret::new(OidcProvider::SECRET));
    let Some(scene) = Scene::start_as("server", right).await else {
        return;
    };
    scene.goes_on().await;
    drop(scene.session);
    let wrong = OAuth2::new().secret(Secret::new("guess"));
    let session = scene.device.open(&scene.proxy.url(), "server", wrong).await;
    scene.device.watch.pass(LIFETIME);
    let failure = failure(&session).await;
    assert!(matches!(failure, Error::Misconfigured(_)), "{failure}");
    assert!(failure.to_string().contains("invalid_client"), "{failure}");
    assert!(scene.device.kept().is_some());
    drop(scene.provider);
}
