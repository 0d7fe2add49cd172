//! `bare`: what a durable refresh costs when nothing else is done: a route, one conditional update
//! of a row as wide as Tenure's through the same driver, and one ES256 signature.
//!
//! `POST /update` writes where the head is the one that was presented; `POST /load-update` reads the
//! whole row before, as a service must that judges it. Neither knows clients, limits, expiry or theft.

mod jwt;
mod store;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use clap::Parser;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

use crate::jwt::Signer;
use crate::store::{Held, Store};

// As in the program that it is compared with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fills a store with sessions, writes their tokens to a file and serves on a free loopback port,
/// which it prints as one line of JSON.
#[derive(Debug, Parser)]
struct Arguments {
    /// `sqlite:DIRECTORY`, `postgres://…` or `redis://…`
    #[arg(env = "BARE_STORE_URL", hide_env_values = true)]
    store: String,
    /// Sessions to add
    #[arg(long, default_value_t = 100_000)]
    sessions: usize,
    /// Where their tokens go, one per line
    #[arg(long)]
    tokens: PathBuf,
    /// Connections to `PostgreSQL`
    #[arg(long, default_value_t = 16)]
    pool: usize,
}

struct Service {
    store: Store,
    signer: Signer,
}

type Shared = Arc<Service>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let store = Store::open(&arguments.store, arguments.pool).await?;
    let held = store.fill(arguments.sessions).await?;
    write_tokens(&arguments.tokens, &held)?;
    let settings = store.settings().await?;
    let service = Arc::new(Service {
        store,
        signer: Signer::generate()?,
    });
    let routes = Router::new()
        .route("/update", post(update))
        .route("/load-update", post(load_update))
        .with_state(service);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let ready = json!({ "port": listener.local_addr()?.port(), "settings": settings });
    writeln!(std::io::stdout(), "{ready}")?;
    Ok(axum::serve(listener, routes).await?)
}

fn write_tokens(file: &Path, held: &[Held]) -> Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    for held in held {
        writeln!(file, "{held}")?;
    }
    Ok(file.flush()?)
}

#[derive(Deserialize)]
struct Ask {
    refresh_token: String,
}

async fn update(State(service): State<Shared>, Form(ask): Form<Ask>) -> Response {
    answer(&service, &ask, false).await
}

async fn load_update(State(service): State<Shared>, Form(ask): Form<Ask>) -> Response {
    answer(&service, &ask, true).await
}

async fn answer(service: &Service, ask: &Ask, load: bool) -> Response {
    let Some(held) = Held::parse(&ask.refresh_token) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let next = held.next();
    match service.store.advance(held, next.head, load).await {
        Ok(true) => {}
        Ok(false) => return refused(StatusCode::BAD_REQUEST, "invalid_grant"),
        Err(why) => return refused(StatusCode::SERVICE_UNAVAILABLE, &why.to_string()),
    }
    let Ok(access_token) = service.signer.access_token(held.lineage) else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "server_error");
    };
    Json(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": jwt::LIFETIME,
        "refresh_token": next.to_string(),
        "scope": jwt::SCOPE,
    }))
    .into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
