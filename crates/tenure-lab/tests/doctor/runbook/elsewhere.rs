//! "When it is something else": what stands between client and service.

use http::HeaderValue;
use serde_json::json;

use super::{fine, guard, look, open_to_all};
use crate::api::{Api, say};
use crate::mint::{Mint, claims};
use crate::nginx::Nginx;
use crate::place::Place;

fn pass_to(api: &Api, more: &str) -> String {
    format!("location / {{ proxy_pass http://{}; {more} }}", api.address)
}

#[tokio::test]
async fn a_proxy_that_strips_the_header_is_named_when_the_service_behind_it_says_yes() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    place.write("token.txt", mint.token(&claims(&json!({}))));
    let api = open_to_all(&mint).await;
    let direct = ["--direct", &api.address.to_string()];
    let stripping = pass_to(&api, r#"proxy_set_header Authorization "";"#);
    let nginx = Nginx::start(&place, "", &stripping);
    let seen = look(&place, &nginx.at("/items"), &direct).await;
    seen.found("TN0201", "cdn");
    drop(nginx);

    let place = Place::new();
    place.write("token.txt", mint.token(&claims(&json!({}))));
    let nginx = Nginx::start(&place, "", &pass_to(&api, ""));
    look(&place, &nginx.at("/items"), &direct).await.healthy();
}

#[tokio::test]
async fn nginx_drops_a_header_with_an_underscore_in_its_name() {
    let mint = Mint::pair("k1");
    let place = Place::new();
    place.write("token.txt", mint.token(&claims(&json!({}))));
    let api = {
        let mint = mint.clone();
        Api::start(
            move |asked| match asked.header("access_token").map(|it| mint.verify(it)) {
                Some(Ok(_)) => fine(),
                Some(Err(_)) => say(401, &[], r#"{"error":"invalid token"}"#),
                None => say(
                    401,
                    &[],
                    r#"{"message":"No authorization token was found"}"#,
                ),
            },
        )
        .await
    };
    let address = api.address.to_string();
    let more = [
        "--token-header=access_token",
        "--token-prefix=",
        "--direct",
        &address,
    ];
    let nginx = Nginx::start(&place, "", &pass_to(&api, ""));
    let seen = look(&place, &nginx.at("/items"), &more).await;
    seen.found("TN0213", "proxy");
    drop(nginx);

    let other = Place::new();
    other.write("token.txt", place.read("token.txt"));
    let nginx = Nginx::start(&other, "underscores_in_headers on;", &pass_to(&api, ""));
    look(&other, &nginx.at("/items"), &more).await.healthy();
}

/// A service behind a cache of nginx that has already answered somebody without a token.
async fn cached(place: &Place, mint: &Mint, cache_control: &'static str) -> (Api, Nginx) {
    let mint = mint.clone();
    let api = Api::start(move |asked| {
        let mut answer = guard(&mint, asked).map_or_else(|no| no, |_| fine());
        let value = HeaderValue::from_static(cache_control);
        answer.headers_mut().insert("cache-control", value);
        answer
    })
    .await;
    let directory = place.path("cache");
    let http = format!("proxy_cache_path {} keys_zone=api:1m;", directory.display());
    let caching = "proxy_cache api; add_header X-Cache-Status $upstream_cache_status always;";
    let nginx = Nginx::start(place, &http, &pass_to(&api, caching));
    let somebody = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = somebody.get(nginx.at("/items")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    (api, nginx)
}

#[tokio::test]
async fn a_cached_401_is_served_to_who_has_a_good_token() {
    let mint = Mint::pair("k1");
    let token = mint.token(&claims(&json!({})));
    let place = Place::new();
    place.write("token.txt", &token);
    let (_api, nginx) = cached(&place, &mint, "public, max-age=600").await;
    let seen = look(&place, &nginx.at("/items"), &[]).await;
    seen.found("TN0202", "cdn");
    drop(nginx);

    let place = Place::new();
    place.write("token.txt", &token);
    let (_api, nginx) = cached(&place, &mint, "no-store").await;
    look(&place, &nginx.at("/items"), &[]).await.healthy();
}
