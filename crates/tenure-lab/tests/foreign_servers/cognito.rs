//! Amazon Cognito, played by `ministack`.

use serde_json::{Value, json};
use tenure_client::{Cognito, EndCause, Error, Granted, Reason, Secret, Session, SignedOut, State};
use tenure_lab::foreign::CognitoEmulator;
use tenure_lab::skip;

use crate::bench::{Device, failure, token};

const USER: &str = "ann";
const PASSWORD: &str = "Passw0rd!x";
const LIFETIME: u64 = 3600;

/// A pool with one user, a public client and a confidential one.
struct Pool {
    emulator: CognitoEmulator,
    id: String,
    public: String,
    confidential: (String, Secret),
}

impl Pool {
    /// `None` where the emulator is missing.
    async fn start() -> Option<Self> {
        if let Some(why) = CognitoEmulator::obstacle() {
            skip(&why).unwrap();
            return None;
        }
        let mut emulator = CognitoEmulator::start().unwrap();
        let pool = admin(&mut emulator, "CreateUserPool", json!({ "PoolName": "p" })).await;
        let id = text(&pool["UserPool"]["Id"]);
        let flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
        let mut clients = Vec::new();
        for secret in [false, true] {
            let client = json!({ "UserPoolId": id, "ClientName": "app", "GenerateSecret": secret,
                                 "ExplicitAuthFlows": flows });
            let made = admin(&mut emulator, "CreateUserPoolClient", client).await;
            clients.push(made["UserPoolClient"].clone());
        }
        let user = json!({ "UserPoolId": id, "Username": USER, "MessageAction": "SUPPRESS" });
        admin(&mut emulator, "AdminCreateUser", user).await;
        let password = json!({ "UserPoolId": id, "Username": USER, "Password": PASSWORD,
                               "Permanent": true });
        admin(&mut emulator, "AdminSetUserPassword", password).await;
        let secret = Secret::new(text(&clients[1]["ClientSecret"]));
        Some(Self {
            emulator,
            id,
            public: text(&clients[0]["ClientId"]),
            confidential: (text(&clients[1]["ClientId"]), secret),
        })
    }

    /// As in the `iss` of the pool's tokens.
    fn issuer(&self) -> String {
        format!("{}/{}", self.emulator.url(), self.id)
    }

    async fn on_user(&mut self, action: &str) {
        let user = json!({ "UserPoolId": self.id, "Username": USER });
        admin(&mut self.emulator, action, user).await;
    }

    /// Signs in as an app does that has Cognito's own library for it.
    async fn tokens(&self, client: &str, secret_hash: Option<String>) -> Granted {
        let mut parameters = json!({ "USERNAME": USER, "PASSWORD": PASSWORD });
        if let Some(hash) = secret_hash {
            parameters["SECRET_HASH"] = hash.into();
        }
        let ask = json!({ "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client,
                          "AuthParameters": parameters });
        let answer = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = answer.post(self.emulator.url()).body(ask.to_string());
        let answer = answer
            .header("Content-Type", "application/x-amz-json-1.1")
            .header(
                "X-Amz-Target",
                "AWSCognitoIdentityProviderService.InitiateAuth",
            );
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let result = &answer["AuthenticationResult"];
        let seconds = result["ExpiresIn"].as_u64().expect("signed in");
        Granted {
            access_token: Secret::new(text(&result["AccessToken"])),
            refresh_token: Some(Secret::new(text(&result["RefreshToken"]))),
            expires_in: Some(std::time::Duration::from_secs(seconds)),
        }
    }

    /// A device that is signed in at the public client.
    async fn signed_in(&self, endpoint: Cognito) -> (Device, Session) {
        let device = Device::new();
        let session = device.open(&self.issuer(), &self.public, endpoint).await;
        let tokens = self.tokens(&self.public, None).await;
        session.adopt(tokens).await.unwrap();
        (device, session)
    }
}

async fn admin(emulator: &mut CognitoEmulator, action: &str, with: Value) -> Value {
    emulator.admin(action, &with).await.unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn twenty_refreshes_by_either_call_keep_the_session_and_its_refresh_token() {
    let Some(pool) = Pool::start().await else {
        return;
    };
    for endpoint in [Cognito::new(), Cognito::new().initiate_auth()] {
        let (device, session) = pool.signed_in(endpoint.clone()).await;
        let kept = device.kept();
        let mut before = token(&session).await;
        for turn in 0..20 {
            device.watch.pass(LIFETIME);
            let after = token(&session).await;
            assert_ne!(before, after, "refresh {turn}");
            before = after;
        }
        assert_eq!(device.kept(), kept, "it does not rotate");
        drop(session);
        let again = device.open(&pool.issuer(), &pool.public, endpoint).await;
        assert_eq!(token(&again).await, before, "after a restart");
    }
}

#[tokio::test]
async fn the_id_token_can_be_the_one_for_the_api() {
    let Some(pool) = Pool::start().await else {
        return;
    };
    let (device, session) = pool.signed_in(Cognito::new().id_token()).await;
    device.watch.pass(LIFETIME);
    let handed = token(&session).await;
    let claims = handed.split('.').nth(1).expect("a JWT");
    let claims = base64::Engine::decode(
        &base64::prelude::BASE64_URL_SAFE_NO_PAD,
        claims.trim_end_matches('='),
    );
    let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    assert_eq!(claims["token_use"], "id");
}

#[tokio::test]
async fn what_ends_the_token_or_the_user_ends_the_session() {
    for end in [
        "AdminUserGlobalSignOut",
        "AdminDisableUser",
        "AdminDeleteUser",
    ] {
        let Some(mut pool) = Pool::start().await else {
            return;
        };
        let (device, session) = pool.signed_in(Cognito::new()).await;
        pool.on_user(end).await;
        assert!(matches!(session.state(), State::Active { .. }), "{end}");
        device.watch.pass(LIFETIME);
        let reason = Reason::Ended(EndCause::Unknown);
        assert_eq!(
            failure(&session).await,
            Error::SignInRequired { reason },
            "{end}"
        );
        assert_eq!(device.kept(), None, "{end}");
    }
}

#[tokio::test]
async fn a_sign_out_revokes_the_token() {
    let Some(pool) = Pool::start().await else {
        return;
    };
    let (device, session) = pool.signed_in(Cognito::new()).await;
    let copy = Granted {
        access_token: Secret::new(token(&session).await),
        refresh_token: device.kept().map(Secret::new),
        expires_in: None,
    };
    assert_eq!(session.sign_out().await, Ok(SignedOut::Revoked));
    // Whoever had copied it cannot use it.
    session.adopt(copy).await.unwrap();
    device.watch.pass(LIFETIME);
    assert!(matches!(
        failure(&session).await,
        Error::SignInRequired { .. }
    ));
}

#[tokio::test]
async fn a_wrong_client_is_misconfigured_and_ends_nothing() {
    let Some(pool) = Pool::start().await else {
        return;
    };
    let wrong = [
        ("nosuchclient", "ResourceNotFoundException"),
        (&pool.confidential.0, "different Client"),
    ];
    for (client, why) in wrong {
        let device = Device::new();
        let session = device.open(&pool.issuer(), client, Cognito::new()).await;
        let tokens = pool.tokens(&pool.public, None).await;
        session.adopt(tokens).await.unwrap();
        device.watch.pass(LIFETIME);
        let failure = failure(&session).await;
        assert!(matches!(failure, Error::Misconfigured(_)), "{failure}");
        assert!(failure.to_string().contains(why), "{failure}");
        assert!(device.kept().is_some());
    }
}

#[tokio::test]
async fn a_wrong_secret_is_misconfigured_and_the_right_one_goes_on() {
    let Some(pool) = Pool::start().await else {
        return;
    };
    let (client, secret) = &pool.confidential;
    let hash = secret_hash(secret, client);
    let device = Device::new();
    let issuer = pool.issuer();
    let open = |secret: Secret| {
        let endpoint = Cognito::new().initiate_auth().secret(secret).username(USER);
        device.open(&issuer, client, endpoint)
    };
    let session = open(Secret::new("wrong")).await;
    let tokens = pool.tokens(client, Some(hash)).await;
    session.adopt(tokens).await.unwrap();
    device.watch.pass(LIFETIME);
    let failure = failure(&session).await;
    assert!(
        failure.to_string().contains("Unable to verify secret hash"),
        "{failure}"
    );
    assert!(matches!(failure, Error::Misconfigured(_)));
    drop(session);
    let session = open(secret.clone()).await;
    assert!(!token(&session).await.is_empty());
}

/// By its documentation, apart from the SDK's own code.
fn secret_hash(secret: &Secret, client: &str) -> String {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, format!("{USER}{client}").as_bytes());
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, tag)
}
