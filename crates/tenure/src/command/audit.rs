//! `tenure audit`: why was this user signed out?

use tenure_core::id::Subject;
use tenure_store::{AuditEvent, AuditQuery};

use crate::beside::Beside;
use crate::cli::Audit;
use crate::failure::Failure;
use crate::{print, time};

/// Prints the audit trail, oldest first.
pub(crate) async fn audit(args: Audit) -> Result<(), Failure> {
    let Audit {
        user,
        since,
        limit,
        place,
    } = args;
    let beside = Beside::open(place).await?;
    let since = match since {
        None => None,
        Some(text) => Some(time::since(&text, beside.now()).ok_or_else(|| {
            Failure::Usage(format!(
                "--since {text}: write an age such as 2h or 7d, or a time such as {}",
                time::show(beside.now())
            ))
        })?),
    };
    let subject = match user {
        None => None,
        Some(user) => Some(subject(&beside, user).await?),
    };
    let mut events = beside
        .store
        .audit(&AuditQuery {
            subject,
            since,
            limit,
        })
        .await?;
    events.reverse();
    let rows: Vec<_> = events.into_iter().map(row).collect();
    print::table(
        [
            "TIME", "EVENT", "REASON", "SUBJECT", "CLIENT", "SESSION", "NETWORK",
        ],
        &rows,
    )?;
    Ok(())
}

/// A name with an @ is an e-mail address; anything else may be a subject of the adopter's own table.
async fn subject(beside: &Beside, user: String) -> Result<Subject, Failure> {
    match beside.store.user_by_email(&user).await? {
        Some(account) => Ok(account.subject),
        None if user.contains('@') => Err(Failure::Usage(format!(
            "--user {user}: no account has this address; see: tenure user list"
        ))),
        None => Ok(Subject::new(user)),
    }
}

fn row(event: AuditEvent) -> [String; 7] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        time::show(event.at),
        event.event,
        or_dash(event.reason),
        or_dash(event.subject.map(|subject| subject.to_string())),
        or_dash(event.client.map(|client| client.to_string())),
        or_dash(event.sid),
        or_dash(event.ip_prefix),
    ]
}
