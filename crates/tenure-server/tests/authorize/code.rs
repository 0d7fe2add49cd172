//! Codes, and what they are exchanged for.

use crate::visitor::{Server, redemption};

#[tokio::test]
async fn a_code_that_is_presented_wrongly_is_not_used_up() {
    let server = Server::start().await;
    let code = server.visitor().demo_code(&[]).await;
    let good = redemption(&code);
    let wrong: [&[(&str, &str)]; 5] = [
        &[("client_id", "spa"), good[1], good[2], good[3]],
        &[
            good[0],
            good[1],
            ("redirect_uri", "http://127.0.0.1:4712/callback"),
            good[3],
        ],
        &[
            good[0],
            good[1],
            good[2],
            (
                "code_verifier",
                "another-verifier-of-forty-three-characters-",
            ),
        ],
        &[good[0], good[1], good[2]],
        &[good[0], ("code", "no-such-code"), good[2], good[3]],
    ];
    for fields in wrong {
        let refused = server.redeem(None, fields).await;
        assert_eq!(
            (refused.status.as_u16(), &*refused.text("error")),
            (400, "invalid_grant")
        );
    }
    assert_eq!(server.redeem(None, &good).await.status, 200);
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_the_session_it_started() {
    let server = Server::start().await;
    let code = server.visitor().demo_code(&[]).await;
    let tokens = server.redeem(None, &redemption(&code)).await;
    let wrong = [&redemption(&code)[..3], &[("code_verifier", "x")]].concat();
    assert_eq!(server.redeem(None, &wrong).await.status, 400);
    let going_on = server.refresh("demo", &tokens.text("refresh_token")).await;
    assert_eq!(
        going_on.status, 200,
        "a copy without the verifier proves nothing"
    );

    assert_eq!(
        server.redeem(None, &redemption(&code)).await.text("error"),
        "invalid_grant"
    );
    let over = server
        .refresh("demo", &going_on.text("refresh_token"))
        .await;
    assert_eq!(over.text("tenure_reason"), "theft_detected");
    let userinfo = server.userinfo(Some(&going_on.text("access_token"))).await;
    assert_eq!(userinfo.status, 401);
}

#[tokio::test]
async fn a_code_lives_a_minute() {
    let server = Server::start().await;
    let code = server.visitor().demo_code(&[]).await;
    server.later(61).await;
    assert_eq!(
        server.redeem(None, &redemption(&code)).await.text("error"),
        "invalid_grant"
    );
}
