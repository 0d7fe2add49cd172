//! Incidents I1, I2, I3 and I5 from the logs that their teams had.

mod android_403;
mod diaries;

use tenure_lab::canary::Search;

use crate::place::Place;

/// Tokens that stand in the logs, and in nothing that is written about them.
const ACCESS: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJjYW5hcnktb2YtYW5uIn0.canary-signature-7Q2xV9";
const REFRESH: &str = "canary-refresh-token-kR8wT3mZ5nB1";
const NEXT_REFRESH: &str = "canary-refresh-token-pL4sD7hJ9cF2";

fn search() -> Search {
    let signature = ACCESS.rsplit('.').next().unwrap();
    Search::new([
        ("access token", ACCESS),
        ("its signature", signature),
        ("refresh token", REFRESH),
        ("next refresh token", NEXT_REFRESH),
    ])
    .unwrap()
}

/// Every section of the incident document, and none of the tokens.
async fn documented(place: &Place, evidence: &str, cause: &str) {
    let markdown = place
        .run(&["report", evidence, "--title", "An incident"])
        .await;
    let page = place.run(&["report", evidence, "--html"]).await;
    assert_eq!((markdown.code, page.code), (0, 0), "{}", markdown.stderr);
    for part in [
        "# An incident",
        "## Metadata",
        "## Overview",
        "## Open questions",
        "## Evidence",
        "## Failure flow\n\n```mermaid\nsequenceDiagram\n",
        "## Reproduction\n\n```sh\n",
        "## Causes",
        "### 1. ",
        "Fix: ",
        "## Verification\n\n- [ ] ",
        "## Audit log\n\n| id | action | note | context |",
        cause,
    ] {
        assert!(
            markdown.stdout.contains(part),
            "{part}\n{}",
            markdown.stdout
        );
    }
    assert!(page.stdout.starts_with("<!doctype html>") && page.stdout.contains(cause));
    let search = search();
    for (name, text) in [
        ("markdown", markdown.stdout),
        ("page", page.stdout),
        ("evidence", place.read(evidence)),
    ] {
        assert_eq!(search.in_bytes(name, text.as_bytes()), [], "{name}");
    }
}
