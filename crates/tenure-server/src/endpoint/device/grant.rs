//! The device code at the token endpoint (RFC 8628 section 3.4).

use serde::{Deserialize, Serialize};
use tenure_core::id::LineageId;
use tenure_core::lineage::{EndCause, Grant, IdempotencyKey};
use tenure_core::scope::Scope;
use tenure_core::secret::{Secret, sha256};
use tenure_store::{Decision, Device, Polled};

use crate::config::GrantType;
use crate::endpoint::authorize::code::end_spoilt;
use crate::error::{DeviceFault, Fault};
use crate::extract::{AuthenticatedClient, Caller};
use crate::session::{End, Start, Tokens, end, first_tokens, start};
use crate::state::AppState;

/// What a device asked for; the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) scope: Scope,
    pub(super) audience: Vec<String>,
    /// The session that it will start, so that a replay can end it and a retry finds it.
    pub(super) lineage: LineageId,
}

/// A poll.
pub(crate) struct Presented {
    pub(crate) code: Secret,
    /// A device that sends the same one with every poll can lose the answer and ask again.
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) client: AuthenticatedClient,
    pub(crate) caller: Caller,
}

/// Answers one poll; the store decides which one of many redeems the code.
pub(crate) async fn redeem(state: &AppState, presented: Presented) -> Result<Tokens, Fault> {
    let client = &presented.client.0;
    if !client.may_use(GrantType::DeviceCode) {
        return Err(Fault::UnauthorizedClient(
            "the client may not use device_code",
        ));
    }
    let code = sha256(presented.code.expose().as_bytes());
    let key = presented.key.as_ref().map(IdempotencyKey::digest);
    let now = state.believed_now()?;
    match state.store.poll_device(code, &client.id, key, now).await? {
        Polled::Missing => Err(refused("the device code is unknown")),
        Polled::Pending => Err(Fault::Device(DeviceFault::Pending)),
        Polled::TooSoon => Err(Fault::Device(DeviceFault::SlowDown)),
        Polled::Denied => Err(Fault::Device(DeviceFault::Denied)),
        Polled::Expired => {
            state.metrics.device("expired");
            Err(Fault::Device(DeviceFault::Expired))
        }
        Polled::Now(device) => begin(state, &presented, &device).await,
        Polled::Again(device) => resume(state, &presented, &device).await,
        Polled::Before(device) => replayed(state, &presented, &device).await,
    }
}

async fn begin(state: &AppState, presented: &Presented, device: &Device) -> Result<Tokens, Fault> {
    let (lineage, grant) = read(device)?;
    let new = Start {
        client: &presented.client.0,
        grant: grant.clone(),
        device: presented.caller.device(None),
        lineage: Some(lineage),
        nonce: None,
    };
    let tokens = start(state, new).await?;
    check_unspoilt(state, presented, device, (lineage, &grant)).await?;
    state.metrics.device("redeemed");
    Ok(tokens)
}

/// The answer was lost on the way, or with a process: the same session is answered again, until it
/// has been refreshed.
async fn resume(state: &AppState, presented: &Presented, device: &Device) -> Result<Tokens, Fault> {
    let (lineage, _) = read(device)?;
    let loaded = match state.store.load(lineage).await? {
        Some(loaded) => loaded,
        None => match begin(state, presented, device).await {
            Ok(tokens) => return Ok(tokens),
            // Another retry may just have made it.
            Err(fault) => state.store.load(lineage).await?.ok_or(fault)?,
        },
    };
    let row = loaded.row;
    if row.revoked.is_some() || row.head.generation > 0 {
        return Err(refused(USED));
    }
    first_tokens(state, &presented.client.0, &row, None)
}

/// Somebody else had the code too.
async fn replayed(
    state: &AppState,
    presented: &Presented,
    device: &Device,
) -> Result<Tokens, Fault> {
    let (lineage, grant) = read(device)?;
    // First, for `check_unspoilt`: the session may not be there yet to be ended.
    state.store.drop_device(device.code).await?;
    let copied = End {
        lineage,
        grant: &grant,
        cause: EndCause::TheftDetected,
        evidence: Some("device_code_replayed"),
    };
    end(state, &presented.caller, copied).await?;
    state.metrics.device("replayed");
    Err(refused(USED))
}

/// Ends the new session where its code came a second time, or its user's sign-ins were cut off,
/// before the session was there to be ended.
async fn check_unspoilt(
    state: &AppState,
    presented: &Presented,
    device: &Device,
    (lineage, grant): (LineageId, &Grant),
) -> Result<(), Fault> {
    let now = state.now();
    // An expired one may be gone for that.
    let there =
        now > device.expires_at || state.store.device(device.user_code, now).await?.is_some();
    let loaded = state.store.load(lineage).await?;
    let cut = loaded.and_then(|loaded| loaded.cut);
    if there && cut.is_none_or(|cut| cut.before < grant.auth_time) {
        return Ok(());
    }
    end_spoilt(state, &presented.caller, lineage, grant).await?;
    Err(refused(USED))
}

const USED: &str = "the device code has been used before, or its user's sign-ins were ended";

fn refused(why: &'static str) -> Fault {
    Fault::InvalidGrant { cause: None, why }
}

fn read(device: &Device) -> Result<(LineageId, Grant), Fault> {
    let damaged = || Fault::unavailable("the record of a device authorization is damaged");
    let Some(Decision::Allowed { subject, auth_time }) = &device.decision else {
        return Err(damaged());
    };
    let asked: Asked = serde_json::from_str(&device.payload).map_err(|_| damaged())?;
    let grant = Grant {
        subject: subject.clone(),
        client: device.client.clone(),
        scope: asked.scope,
        audience: asked.audience,
        auth_time: *auth_time,
    };
    Ok((asked.lineage, grant))
}
