//! Stops that lose nothing, and configuration that changes under a running service.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tenure_lab::actor::{OAuthClient, Tokens};
use tenure_lab::deployment::{CLIENT, Deployment, EMAIL, PASSWORD};
use tenure_lab::process::Launch;

const PATIENCE: Duration = Duration::from_secs(30);

async fn signed_in(app: &OAuthClient) -> Tokens {
    app.sign_in(EMAIL, PASSWORD).await.unwrap()
}

/// A refresh of which the server has the header, and not yet the body.
fn begin_refresh(listen: &str, body: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(listen).unwrap();
    write!(
        stream,
        "POST /oauth2/token HTTP/1.1\r\nHost: {listen}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n",
        body.len(),
    )
    .unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    // The handler asks for the body: the request is in its hands.
    stream.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 100"), "{line}");
    stream.read_line(&mut line).unwrap();
    stream
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight() {
    let mut deployment = Deployment::start().await.unwrap();
    let app = deployment.app().unwrap();
    let tokens = signed_in(&app).await;
    let refresh = tokens.refresh().unwrap();
    let body = format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={refresh}");
    let mut stream = begin_refresh(&deployment.server.listen(), &body);
    let output = deployment.server.output().clone();
    let answer = std::thread::scope(|scope| {
        let stopped = scope.spawn(|| deployment.server.terminate().unwrap());
        output.wait_for("\"event\":\"stopping\"", PATIENCE).unwrap();
        stream.get_mut().write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(stopped.join().unwrap().success());
        answer
    });
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    deployment.server.restart().unwrap();
    app.refresh(body["refresh_token"].as_str().unwrap())
        .await
        .granted()
        .unwrap();
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_a_stop_up() {
    let mut deployment = Deployment::start().await.unwrap();
    let idle: Vec<_> = (0..8)
        .map(|_| TcpStream::connect(deployment.server.listen()).unwrap())
        .collect();
    let url = format!("{}/health/live", deployment.server.url());
    let kept_alive = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(
        kept_alive
            .get(&url)
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    assert!(deployment.server.terminate().unwrap().success());
    drop(idle);
}

#[tokio::test]
async fn readiness_says_what_the_service_runs_on() {
    let deployment = Deployment::start().await.unwrap();
    deployment.server.advance_clock(3600).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/health/ready", deployment.issuer());
    let answer = client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let ready: Value = answer.json().await.unwrap();
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["issuer"], deployment.issuer());
    assert_eq!(
        (&ready["store"]["kind"], &ready["store"]["durable"]),
        (&"sqlite".into(), &true.into())
    );
    assert_eq!(ready["store"]["revoke_durability"], "separate-log");
    assert_eq!(
        (
            &ready["clock"]["trusted"],
            &ready["clock"]["offset_seconds"]
        ),
        (&true.into(), &3600.into())
    );
    assert!(ready["keys"]["signing"].is_string());
}

/// A service with a client of its own, and the file that says so.
async fn with_file(text: &str) -> (Deployment, PathBuf) {
    let configured = |launch: Launch, directory: &Path| {
        let file = directory.join("tenure.toml");
        fs::write(&file, text)?;
        Ok(launch.args(["--config"]).args([file]))
    };
    let deployment = Deployment::start_with(configured).await.unwrap();
    let file = deployment.directory().join("tenure.toml");
    (deployment, file)
}

fn kiosk(deployment: &Deployment) -> OAuthClient {
    let mut app = deployment.app().unwrap();
    "kiosk".clone_into(&mut app.client_id);
    app
}

const KIOSK: &str = r#"[clients.kiosk]
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
"#;

#[tokio::test]
async fn a_bad_file_keeps_the_old_configuration_and_says_so() {
    let (deployment, file) = with_file(KIOSK).await;
    let app = kiosk(&deployment);
    let mut tokens = signed_in(&app).await;
    let output = deployment.server.output().clone();
    for (slip, says) in [
        (
            KIOSK.replace("redirect_uris", "redirect_uri"),
            "tenure.toml:3: clients.kiosk.redirect_uri: is no key of this table; did you mean redirect_uris?",
        ),
        (KIOSK.replace("true", "tru"), "tenure.toml:2"),
        (
            KIOSK.replace("http://127.0.0.1", "http://example.com"),
            "tenure.toml:3: clients.kiosk.redirect_uris",
        ),
    ] {
        fs::write(&file, slip).unwrap();
        deployment.server.hang_up().unwrap();
        let line = output.wait_for(says, PATIENCE).unwrap();
        assert!(line.contains("\"event\":\"config_rejected\""), "{line}");
        tokens = app
            .refresh(tokens.refresh().unwrap())
            .await
            .granted()
            .unwrap();
    }
    fs::remove_file(&file).unwrap();
    deployment.server.hang_up().unwrap();
    output
        .wait_for("cannot read the configuration file", PATIENCE)
        .unwrap();
    app.refresh(tokens.refresh().unwrap())
        .await
        .granted()
        .unwrap();
    signed_in(&app).await;
}

#[tokio::test]
async fn a_changed_file_is_noticed_without_a_signal() {
    let (deployment, file) = with_file("").await;
    let app = kiosk(&deployment);
    assert!(app.sign_in(EMAIL, PASSWORD).await.is_err());
    fs::write(&file, format!("{KIOSK}lifetimes.access = \"5m\"\n")).unwrap();
    let output = deployment.server.output();
    output
        .wait_for(r#""event":"config_reloaded","clients":3"#, PATIENCE)
        .unwrap();
    let tokens = signed_in(&app).await;
    assert_eq!(tokens.expires_in, Some(300));
    // As editors save: a new file in the place of the old one.
    let aside = file.with_extension("new");
    fs::write(
        &aside,
        format!("{KIOSK}lifetimes.access = \"7m\"\n[clients.more]\n"),
    )
    .unwrap();
    fs::rename(aside, &file).unwrap();
    output
        .wait_for(r#""event":"config_reloaded","clients":4"#, PATIENCE)
        .unwrap();
    let tokens = app
        .refresh(tokens.refresh().unwrap())
        .await
        .granted()
        .unwrap();
    assert_eq!(tokens.expires_in, Some(420));
}

#[tokio::test]
async fn what_cannot_change_under_a_running_service_is_named() {
    let (deployment, file) = with_file("request_timeout = \"10s\"\n").await;
    let app = deployment.app().unwrap();
    let tokens = signed_in(&app).await;
    fs::write(&file, "request_timeout = \"20s\"\n").unwrap();
    deployment.server.hang_up().unwrap();
    let output = deployment.server.output();
    output
        .wait_for(
            "request_timeout has changed; it takes effect after a restart",
            PATIENCE,
        )
        .unwrap();
    app.refresh(tokens.refresh().unwrap())
        .await
        .granted()
        .unwrap();
}
