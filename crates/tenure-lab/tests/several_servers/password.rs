//! A password that is changed at one server.

use std::process::Stdio;

use tenure_lab::actor::OAuthClient;
use tenure_lab::deployment::{CLIENT, EMAIL, PASSWORD};
use tokio::io::AsyncWriteExt;

use crate::start;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_change_ends_the_sessions_at_every_server() {
    let Some(service) = start().await else { return };
    let apps: Vec<OAuthClient> = service
        .servers
        .each
        .iter()
        .map(|server| OAuthClient::new(server.url(), CLIENT).unwrap())
        .collect();
    let at = service.servers.first_party().unwrap();
    let mut tokens = Vec::new();
    for _ in &apps {
        let signed_in = at.login(EMAIL, PASSWORD).await.granted().unwrap();
        tokens.push(signed_in);
    }
    let mut command = service
        .servers
        .tenure(&["user", "password", EMAIL])
        .unwrap();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"another-password\n").await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("3 sessions ended"), "{said}");

    // Acknowledged is ended, everywhere and at once.
    for (app, tokens) in apps.iter().zip(&tokens) {
        let refusal = app.refresh(tokens.refresh().unwrap()).await;
        let refusal = refusal.refused().unwrap();
        assert_eq!(
            refusal.tenure_reason.as_deref(),
            Some("credentials_changed"),
            "{refusal:?}"
        );
    }
    for server in &service.servers.each {
        let there = tenure_lab::actor::FirstParty::new(server.url(), CLIENT).unwrap();
        assert!(there.login(EMAIL, PASSWORD).await.granted().is_err());
    }
}
