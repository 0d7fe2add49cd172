//! Signing in with e-mail and password.

use tenure_core::secret::Secret;
use tenure_store::{AuditEvent, User, Written};

use super::LONGEST_EMAIL;
use crate::error::Fault;
use crate::extract::Caller;
use crate::password::Match;
use crate::state::AppState;

/// The account that e-mail and password belong to.
///
/// Unknown, disabled and mail-only accounts get the answer of a wrong password, after as long; the
/// audit trail has the difference.
pub(crate) async fn sign_in(
    state: &AppState,
    caller: &Caller,
    email: &str,
    password: &Secret,
) -> Result<User, Fault> {
    if email.len() > LONGEST_EMAIL {
        return Err(Fault::InvalidRequest(
            "the e-mail address is longer than 254 bytes".to_owned(),
        ));
    }
    state.limits.load().login(caller.network, email)?;
    let user = state.store.user_by_email(email).await?;
    let stored = user.as_ref().and_then(|user| user.password.as_deref());
    let matched = state.passwords.verify(password, stored).await?;
    match judge(user.as_ref(), matched) {
        Err(reason) => {
            let event = event(state, caller, user.as_ref(), "sign_in_failed", reason);
            state.audit(event).await;
            Err(Fault::WrongCredentials)
        }
        Ok(user) => {
            let mut user = user.clone();
            if matched == Match::Outdated {
                upgrade(state, &mut user, password).await;
            }
            state
                .audit(event(state, caller, Some(&user), "signed_in", "password"))
                .await;
            Ok(user)
        }
    }
}

/// Whether the account may sign in by other means than a password, such as a link; leaves a trace
/// where it may not.
pub(crate) async fn admit(state: &AppState, caller: &Caller, user: &User) -> bool {
    let (name, reason) = if user.disabled {
        ("sign_in_failed", "account_disabled")
    } else {
        ("signed_in", "magic_link")
    };
    state
        .audit(event(state, caller, Some(user), name, reason))
        .await;
    !user.disabled
}

/// Refuses where the account was changed while somebody signed in to it: whoever changed it ended
/// what there was, and must not miss what came a moment later. Asked once the sign-in is in the store.
pub(crate) async fn check_unchanged(state: &AppState, user: &User) -> Result<(), Fault> {
    let stored = state.store.user(&user.subject).await?;
    if stored.is_some_and(|now| now.password == user.password && now.disabled == user.disabled) {
        Ok(())
    } else {
        Err(Fault::unavailable(
            "the account was changed during this sign-in",
        ))
    }
}

fn judge(user: Option<&User>, matched: Match) -> Result<&User, &'static str> {
    let user = user.ok_or("unknown_account")?;
    match matched {
        Match::No if user.password.is_none() => Err("no_password"),
        Match::No => Err("wrong_password"),
        Match::Yes | Match::Outdated if user.disabled => Err("account_disabled"),
        Match::Yes | Match::Outdated => Ok(user),
    }
}

/// Replaces a weak or foreign hash, unless the password changed meanwhile. A sign-in does not fail
/// for it: the next one tries again.
async fn upgrade(state: &AppState, user: &mut User, password: &Secret) {
    let hash = match state.passwords.hash(password).await {
        Ok(hash) => hash,
        Err(error) => {
            tracing::warn!(event = "password_not_upgraded", %error);
            return;
        }
    };
    let expected = user.password.as_deref();
    match state
        .store
        .set_password(&user.subject, expected, &hash)
        .await
    {
        Ok(written) => {
            tracing::info!(event = "password_upgraded", ?written);
            if written == Written::Now {
                user.password = Some(hash);
            }
        }
        Err(error) => tracing::warn!(event = "password_not_upgraded", %error),
    }
}

fn event(
    state: &AppState,
    caller: &Caller,
    user: Option<&User>,
    name: &str,
    reason: &str,
) -> AuditEvent {
    tracing::info!(event = name, reason);
    AuditEvent {
        at: state.now(),
        event: name.to_owned(),
        subject: user.map(|user| user.subject.clone()),
        client: None,
        sid: None,
        reason: Some(reason.to_owned()),
        ip_prefix: Some(caller.network.to_string()),
        request_id: caller.request_id(),
    }
}
