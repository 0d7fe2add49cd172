//! What a reload takes over while the service runs.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use axum::body::Body;
use http::{Request, StatusCode, header};
use tenure_server::Service;
use tenure_server::config::{Config, Flags, Inputs, Purpose, load};
use tower::ServiceExt as _;

fn config(data: &std::path::Path, token_per_minute: u32) -> Config {
    let file = data.join("tenure.toml");
    let text = format!("[limits]\ntoken_per_minute = {token_per_minute}\n");
    std::fs::write(&file, text).unwrap();
    let flags = Flags {
        dev: true,
        dangerous_memory_store: true,
        config: Some(file),
        data: Some(data.to_owned()),
        ..Flags::default()
    };
    let inputs = Inputs {
        flags,
        environment: std::collections::BTreeMap::new(),
        purpose: Purpose::Serve,
    };
    load(&inputs).unwrap().config
}

async fn ask(service: &Service) -> StatusCode {
    let request = Request::post("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(
            "grant_type=refresh_token&client_id=demo&refresh_token=x",
        ))
        .unwrap();
    service.router().oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn a_reloaded_limit_counts_from_then_on() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::open(config(directory.path(), 1)).await.unwrap();
    assert_eq!(ask(&service).await, StatusCode::BAD_REQUEST);
    assert_eq!(ask(&service).await, StatusCode::TOO_MANY_REQUESTS);
    service.reload(config(directory.path(), 1));
    assert_eq!(
        ask(&service).await,
        StatusCode::TOO_MANY_REQUESTS,
        "not forgotten by a reload"
    );
    service.reload(config(directory.path(), 1000));
    assert_eq!(ask(&service).await, StatusCode::BAD_REQUEST);
}
