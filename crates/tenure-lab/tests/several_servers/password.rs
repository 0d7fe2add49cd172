//! A password that is changed at one server.

use tenure_lab::actor::OAuthClient;
use tenure_lab::deployment::{CLIENT, EMAIL, PASSWORD};
use tenure_lab::process::Ended;

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
    let ended = Ended::of(&mut command, "another-password\n").await.unwrap();
    assert!(ended.stdout.contains("3 sessions ended"), "{ended:?}");

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
