//! Authorization codes (RFC 6749 section 4.1.2), bound to client, redirect URI and PKCE.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{EndCause, Grant};
use tenure_core::scope::Scope;
use tenure_core::secret::{Secret, sha256};
use tenure_core::time::Timestamp;
use tenure_store::{Taken, Ticket, TicketKind};

use crate::config::Client;
use crate::error::Fault;
use crate::extract::Caller;
use crate::random;
use crate::session::{End, end};
use crate::state::AppState;

/// Long enough for one redirect, short enough to be useless in a log.
const LIFETIME: Duration = Duration::from_mins(1);

/// What a code stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodeGrant {
    pub(crate) subject: Subject,
    pub(crate) client: ClientId,
    pub(crate) scope: Scope,
    pub(crate) audience: Vec<String>,
    /// When the user proved who they are, which may be long before.
    pub(crate) auth_time: Timestamp,
    /// As sent in the authorization request, port included.
    pub(crate) redirect_uri: String,
    /// S256.
    pub(crate) code_challenge: String,
    pub(crate) nonce: Option<String>,
    /// The session that the code will start, so that a replay can end it.
    pub(crate) lineage: LineageId,
}

/// A code that was used just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redeemed {
    pub(crate) grant: CodeGrant,
    expires_at: Timestamp,
}

impl CodeGrant {
    pub(crate) fn session(&self) -> Grant {
        Grant {
            subject: self.subject.clone(),
            client: self.client.clone(),
            scope: self.scope.clone(),
            audience: self.audience.clone(),
            auth_time: self.auth_time,
        }
    }
}

/// Makes a code.
pub(crate) async fn issue(state: &AppState, grant: &CodeGrant) -> Result<Secret, Fault> {
    let code = random::secret()?;
    let payload = serde_json::to_string(grant)
        .map_err(|_| Fault::unavailable("a code does not serialise"))?;
    let ticket = Ticket {
        kind: TicketKind::Code,
        hash: sha256(code.expose().as_bytes()),
        subject: Some(grant.subject.clone()),
        expires_at: state.now() + LIFETIME,
        used_at: None,
        payload,
    };
    state.store.add_ticket(&ticket).await?;
    Ok(code)
}

/// Redeems a code, once. Whoever cannot prove to be its client consumes nothing; whoever can and
/// comes a second time shows that the code was copied, and the session is ended.
///
/// `redirect_uri` may be absent (OAuth 2.1 dropped it, PKCE does its work), but not different.
pub(crate) async fn redeem(
    state: &AppState,
    caller: &Caller,
    code: &Secret,
    client: &Client,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Result<Redeemed, Fault> {
    let hash = sha256(code.expose().as_bytes());
    let now = state.believed_now()?;
    let ticket = state.store.ticket(TicketKind::Code, hash, now).await?;
    let grant = read(&ticket.ok_or(refused(UNKNOWN))?)?;
    check(&grant, client, redirect_uri, verifier).map_err(refused)?;
    match state.store.take_ticket(TicketKind::Code, hash, now).await? {
        Taken::Now(Ticket { expires_at, .. }) => Ok(Redeemed { grant, expires_at }),
        Taken::Missing => Err(refused(UNKNOWN)),
        Taken::Before(_) => {
            // First, for `check_unspoilt`: the session may not be there yet to be ended.
            state.store.drop_ticket(TicketKind::Code, hash).await?;
            let copied = End {
                lineage: grant.lineage,
                grant: &grant.session(),
                cause: EndCause::TheftDetected,
                evidence: Some("code_replayed"),
            };
            end(state, caller, copied).await?;
            Err(refused("the code has been used before"))
        }
    }
}

/// Ends the new session where its code came a second time, or the account was changed, before the
/// session was there to be ended with the others. Asked once it is in the store.
pub(crate) async fn check_unspoilt(
    state: &AppState,
    caller: &Caller,
    code: &Secret,
    redeemed: &Redeemed,
) -> Result<(), Fault> {
    let Redeemed { grant, expires_at } = redeemed;
    let (hash, now) = (sha256(code.expose().as_bytes()), state.now());
    // An expired one may be gone for that.
    if now > *expires_at
        || state
            .store
            .ticket(TicketKind::Code, hash, now)
            .await?
            .is_some()
    {
        return Ok(());
    }
    end_spoilt(state, caller, grant.lineage, &grant.session()).await?;
    Err(refused("the code has been used before"))
}

/// Ends the session of a code that is gone: its user's sign-ins were cut off, or it was copied.
pub(crate) async fn end_spoilt(
    state: &AppState,
    caller: &Caller,
    lineage: LineageId,
    grant: &Grant,
) -> Result<(), Fault> {
    let loaded = state.store.load(lineage).await?;
    let cut = loaded.and_then(|loaded| loaded.cut);
    let cut = cut.filter(|cut| cut.before >= grant.auth_time);
    let spoilt = End {
        lineage,
        grant,
        cause: cut.map_or(EndCause::TheftDetected, |cut| cut.cause),
        evidence: cut.is_none().then_some("code_replayed"),
    };
    end(state, caller, spoilt).await.map(drop)
}

const UNKNOWN: &str = "the code is unknown or has expired";

fn refused(why: &'static str) -> Fault {
    Fault::InvalidGrant { cause: None, why }
}

fn read(ticket: &Ticket) -> Result<CodeGrant, Fault> {
    serde_json::from_str(&ticket.payload)
        .map_err(|_| Fault::unavailable("the record of a code is damaged"))
}

fn check(
    grant: &CodeGrant,
    client: &Client,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Result<(), &'static str> {
    if grant.client != client.id {
        return Err("the code belongs to another client");
    }
    if redirect_uri.is_some_and(|uri| uri != grant.redirect_uri) {
        return Err("the redirect_uri is not the one of the authorization request");
    }
    let verifier = verifier.ok_or("the code_verifier is missing")?;
    if !answers(verifier, &grant.code_challenge) {
        return Err("the code_verifier does not answer the code_challenge");
    }
    Ok(())
}

/// RFC 7636 sections 4.1 and 4.6.
fn answers(verifier: &str, challenge: &str) -> bool {
    let unreserved = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::answers;

    #[test]
    fn the_verifier_of_the_rfc_answers_its_challenge_and_nothing_else_does() {
        // RFC 7636 appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(answers(verifier, challenge));
        assert!(!answers(challenge, challenge), "plain");
        assert!(!answers(&format!("{verifier}x"), challenge));
        assert!(!answers("", challenge));
        assert!(!answers(&verifier.to_lowercase(), challenge));
    }
}
