//! Plain `curl`, against the service behind the fault proxy.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod story;

use serde_json::json;
use tenure_lab::deployment::{API, API_SECRET, CLIENT, Deployment, EMAIL, PASSWORD};
use tenure_lab::foreign::{Curl, CurlAnswer};
use tenure_lab::skip;
use url::Url;

use self::story::{Client, Outcome};

const REDIRECT: &str = "http://127.0.0.1:7/callback";
/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The route by which a person with curl signed in, and refreshes.
#[derive(Clone, Copy)]
enum Route {
    OAuth,
    Json,
}

struct Person {
    curl: Curl,
    issuer: String,
    route: Route,
    access: String,
    refresh: String,
}

impl Person {
    async fn with_password(issuer: String) -> Self {
        let curl = Curl::new().unwrap();
        let login = json!({ "email": EMAIL, "password": PASSWORD, "client_id": CLIENT });
        let answer = post_json(
            &curl,
            &format!("{issuer}/api/auth/login"),
            &login.to_string(),
        )
        .await;
        let mut person = Self::new(curl, issuer, Route::Json);
        person.keep(&answer.unwrap());
        person
    }

    async fn with_code(issuer: String) -> Self {
        let curl = Curl::new().unwrap();
        let mut url = Url::parse(&format!("{issuer}/oauth2/authorize")).unwrap();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("scope", "openid offline_access"),
            ("state", "a-state-of-mine"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let back = curl.sign_in(url, EMAIL, PASSWORD, REDIRECT).await.unwrap();
        let parameter = |name: &str| {
            back.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        assert_eq!(parameter("state").as_deref(), Some("a-state-of-mine"));
        assert_eq!(parameter("iss").as_deref(), Some(issuer.as_str()));
        let form = format!(
            "grant_type=authorization_code&client_id={CLIENT}&code={}&code_verifier={VERIFIER}&redirect_uri={REDIRECT}",
            parameter("code").unwrap(),
        );
        let token = curl
            .request(&format!("{issuer}/oauth2/token"), &[("data", &form)])
            .await;
        let mut person = Self::new(curl, issuer, Route::OAuth);
        person.keep(&token.unwrap().unwrap());
        person
    }

    fn new(curl: Curl, issuer: String, route: Route) -> Self {
        Self {
            curl,
            issuer,
            route,
            access: String::new(),
            refresh: String::new(),
        }
    }

    fn keep(&mut self, answer: &CurlAnswer) {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        self.access = answer.text("access_token").unwrap();
        self.refresh = answer.text("refresh_token").unwrap();
    }

    async fn present(&self) -> Option<CurlAnswer> {
        let url = format!("{}{}", self.issuer, self.path());
        match self.route {
            Route::OAuth => {
                let form = format!(
                    "grant_type=refresh_token&client_id={CLIENT}&refresh_token={}",
                    self.refresh
                );
                self.curl.request(&url, &[("data", &form)]).await.unwrap()
            }
            Route::Json => {
                let body = json!({ "refresh_token": self.refresh }).to_string();
                post_json(&self.curl, &url, &body).await
            }
        }
    }
}

impl Client for Person {
    async fn refresh(&mut self) -> Outcome {
        match self.present().await {
            Some(answer) if answer.status == 200 => {
                self.keep(&answer);
                Outcome::Granted
            }
            Some(answer) if answer.text("error").as_deref() == Some("invalid_grant") => {
                Outcome::Ended(answer.text("tenure_reason").unwrap())
            }
            _ => Outcome::Trouble,
        }
    }

    fn held(&self) -> (String, String) {
        (self.access.clone(), self.refresh.clone())
    }

    async fn copied(&self) -> Self {
        Self {
            curl: Curl::new().unwrap(),
            issuer: self.issuer.clone(),
            access: self.access.clone(),
            refresh: self.refresh.clone(),
            ..*self
        }
    }

    fn path(&self) -> &'static str {
        match self.route {
            Route::OAuth => "/oauth2/token",
            Route::Json => "/api/auth/refresh",
        }
    }
}

async fn post_json(curl: &Curl, url: &str, body: &str) -> Option<CurlAnswer> {
    curl.request(
        url,
        &[("header", "Content-Type: application/json"), ("data", body)],
    )
    .await
    .unwrap()
}

/// The service, or none where curl is missing.
async fn deployment() -> Option<Deployment> {
    if let Some(why) = Curl::obstacle() {
        skip(&why).unwrap();
        return None;
    }
    Some(Deployment::start().await.unwrap())
}

#[tokio::test]
async fn it_signs_in_with_a_code_and_stays_signed_in() {
    let Some(mut deployment) = deployment().await else {
        return;
    };
    let mut person = Person::with_code(deployment.issuer()).await;
    story::stays_signed_in(&mut deployment, &mut person).await;
}

#[tokio::test]
async fn it_signs_in_with_a_password_and_stays_signed_in() {
    let Some(mut deployment) = deployment().await else {
        return;
    };
    let mut person = Person::with_password(deployment.issuer()).await;
    story::stays_signed_in(&mut deployment, &mut person).await;
    let me = format!("{}/api/auth/me", person.issuer);
    let bearer = format!("Authorization: Bearer {}", person.access);
    let me = person
        .curl
        .request(&me, &[("header", &bearer)])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(me.text("email").as_deref(), Some(EMAIL), "{}", me.body);
}

#[tokio::test]
async fn the_two_routes_refresh_the_same_session() {
    let Some(deployment) = deployment().await else {
        return;
    };
    let mut person = Person::with_password(deployment.issuer()).await;
    for route in [Route::OAuth, Route::Json, Route::OAuth] {
        person.route = route;
        assert_eq!(person.refresh().await, Outcome::Granted);
    }
}

#[tokio::test]
async fn it_looks_and_revokes() {
    let Some(deployment) = deployment().await else {
        return;
    };
    let mut person = Person::with_code(deployment.issuer()).await;
    let introspect = format!("{}/oauth2/introspect", person.issuer);
    let user = format!("{API}:{API_SECRET}");
    for (token, active) in [(&person.access, true), (&person.refresh, true)] {
        let form = format!("token={token}");
        let settings = [("user", user.as_str()), ("data", &form)];
        let answer = person
            .curl
            .request(&introspect, &settings)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer.json()["active"], active);
    }
    let revoke = format!("{}/oauth2/revoke", person.issuer);
    let form = format!("client_id={CLIENT}&token={}", person.refresh);
    let answer = person
        .curl
        .request(&revoke, &[("data", &form)])
        .await
        .unwrap()
        .unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    for token in [&person.access, &person.refresh] {
        let form = format!("token={token}");
        let settings = [("user", user.as_str()), ("data", &form)];
        let answer = person
            .curl
            .request(&introspect, &settings)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer.json(), json!({ "active": false }));
    }
    assert_eq!(
        person.refresh().await,
        Outcome::Ended("logged_out".to_owned())
    );
}

#[tokio::test]
async fn an_old_copy_of_its_token_ends_the_session_of_both() {
    let Some(deployment) = deployment().await else {
        return;
    };
    let mut person = Person::with_password(deployment.issuer()).await;
    story::an_old_copy_ends_the_session(&deployment, &mut person).await;
}

#[tokio::test]
async fn a_thief_who_goes_on_first_ends_the_session_of_both() {
    let Some(deployment) = deployment().await else {
        return;
    };
    let mut person = Person::with_code(deployment.issuer()).await;
    story::a_faster_thief_ends_the_session(&deployment, &mut person).await;
}
