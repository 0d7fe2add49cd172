//! Access tokens (RFC 9068) and ID tokens (OIDC Core section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenure_core::id::{ClientId, Subject};
use tenure_core::lineage::{Grant, Row};
use tenure_core::scope::Scope;
use tenure_core::secret::{Secret, sha256};
use tenure_core::time::Timestamp;

use crate::config::Client;
use crate::error::Fault;
use crate::random;
use crate::state::AppState;

/// What the holder of a valid access token of this service may claim.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AccessClaims {
    pub(crate) sub: Subject,
    pub(crate) client_id: ClientId,
    #[serde(default)]
    pub(crate) scope: Scope,
    pub(crate) sid: Option<String>,
    pub(crate) iss: String,
    pub(crate) aud: Value,
    pub(crate) exp: Timestamp,
    pub(crate) iat: Timestamp,
    pub(crate) jti: String,
    pub(crate) auth_time: Option<Timestamp>,
}

impl AccessClaims {
    /// Checks signature, kind, issuer and expiry.
    pub(crate) fn verify(state: &AppState, token: &str) -> Result<Self, Fault> {
        let claims = state
            .keys
            .load()
            .verify_access(token)
            .ok_or(Fault::InvalidToken("not an access token of this issuer"))?;
        let claims: Self = serde_json::from_value(claims)
            .map_err(|_| Fault::InvalidToken("the token lacks required claims"))?;
        if claims.iss != state.config.load().issuer {
            return Err(Fault::InvalidToken("the token is from another issuer"));
        }
        if state.time_refuses(|now| claims.exp <= now)? {
            return Err(Fault::InvalidToken("the token has expired"));
        }
        Ok(claims)
    }

    /// The same for tokens that may be anything: `None` where it is no valid one.
    pub(crate) fn read(state: &AppState, token: &str) -> Result<Option<Self>, Fault> {
        match Self::verify(state, token) {
            Ok(claims) => Ok(Some(claims)),
            Err(Fault::InvalidToken(_)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Refuses a token for other resources than this service (RFC 9068 section 4): who was given it
    /// there could use it here.
    pub(crate) fn require_own_audience(&self, state: &AppState) -> Result<(), Fault> {
        let config = state.config.load();
        let is_own = |one: &Value| one.as_str() == Some(config.issuer.as_str());
        let named = match &self.aud {
            Value::Array(many) => many.iter().any(is_own),
            one => is_own(one),
        };
        if named {
            Ok(())
        } else {
            Err(Fault::InvalidToken("the token is for another resource"))
        }
    }

    /// The session that the token belongs to, while it lives; tokens of a client itself have none.
    pub(crate) async fn session(&self, state: &AppState) -> Result<Option<Row>, Fault> {
        let Some(sid) = &self.sid else {
            return Ok(None);
        };
        let keys = state.keys.load_full();
        let rows = state.store.sessions_of(&self.sub).await?;
        let Some(row) = rows.into_iter().find(|row| keys.sid(row.lineage) == *sid) else {
            return Ok(None);
        };
        let cut = state
            .store
            .load(row.lineage)
            .await?
            .and_then(|loaded| loaded.cut);
        let ended =
            row.revoked.is_some() || cut.is_some_and(|cut| cut.before > row.grant.auth_time);
        Ok((!ended).then_some(row))
    }

    /// True where the token names a session, and that is over.
    pub(crate) async fn session_ended(&self, state: &AppState) -> Result<bool, Fault> {
        Ok(self.sid.is_some() && self.session(state).await?.is_none())
    }

    /// Refuses a token without the scope.
    pub(crate) fn require(&self, scope: &'static str) -> Result<(), Fault> {
        if self.scope.contains(scope) {
            Ok(())
        } else {
            Err(Fault::InsufficientScope(scope))
        }
    }
}

/// The circumstances of a new access token.
pub(crate) struct Issue<'a> {
    pub(crate) client: &'a Client,
    pub(crate) subject: &'a Subject,
    pub(crate) scope: &'a Scope,
    pub(crate) audience: &'a [String],
    pub(crate) session: Option<(&'a str, Timestamp)>,
    pub(crate) now: Timestamp,
}

#[derive(Serialize)]
struct AccessWire<'a> {
    iss: &'a str,
    sub: &'a Subject,
    aud: OneOrMany<'a>,
    client_id: &'a ClientId,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: &'a Scope,
    iat: Timestamp,
    exp: Timestamp,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMany<'a> {
    One(&'a str),
    Many(&'a [String]),
}

impl<'a> OneOrMany<'a> {
    fn of(audience: &'a [String]) -> Self {
        match audience {
            [one] => Self::One(one),
            many => Self::Many(many),
        }
    }
}

impl Issue<'_> {
    /// Signs an access token.
    pub(crate) fn access_token(&self, state: &AppState) -> Result<Secret, Fault> {
        let config = state.config.load();
        let wire = AccessWire {
            iss: &config.issuer,
            sub: self.subject,
            aud: OneOrMany::of(self.audience),
            client_id: &self.client.id,
            scope: self.scope,
            iat: self.now,
            exp: self.now + self.client.lifetimes.access,
            jti: BASE64.encode(random::bytes::<16>()?),
            sid: self.session.map(|(sid, _)| sid),
            auth_time: self.session.map(|(_, auth_time)| auth_time),
        };
        let claims = with_custom(json_text(&wire)?, &self.client.claims)?;
        Ok(Secret::new(state.keys.load().sign_access(&claims)?))
    }
}

#[derive(Serialize)]
struct IdWire<'a> {
    iss: &'a str,
    sub: &'a Subject,
    aud: &'a ClientId,
    iat: Timestamp,
    exp: Timestamp,
    auth_time: Timestamp,
    sid: &'a str,
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// Signs an ID token that goes with `access_token`; `nonce` only at sign-in.
pub(crate) fn id_token(
    state: &AppState,
    client: &Client,
    grant: &Grant,
    sid: &str,
    access_token: &Secret,
    nonce: Option<&str>,
) -> Result<Secret, Fault> {
    let now = state.now();
    let half = sha256(access_token.expose().as_bytes());
    let config = state.config.load();
    let wire = IdWire {
        iss: &config.issuer,
        sub: &grant.subject,
        aud: &client.id,
        iat: now,
        exp: now + client.lifetimes.access,
        auth_time: grant.auth_time,
        sid,
        at_hash: BASE64.encode(half.get(..16).unwrap_or_default()),
        nonce,
    };
    let claims = json_text(&wire)?;
    Ok(Secret::new(state.keys.load().sign_id(&claims)?))
}

fn json_text(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|_| Fault::unavailable("claims do not serialise"))
}

/// Appends a client's own claims; the configuration allows no reserved name among them.
fn with_custom(mut claims: String, custom: &Map<String, Value>) -> Result<String, Fault> {
    if custom.is_empty() {
        return Ok(claims);
    }
    let custom = json_text(custom)?;
    claims.pop();
    claims.push(',');
    claims.push_str(custom.strip_prefix('{').unwrap_or_default());
    Ok(claims)
}
