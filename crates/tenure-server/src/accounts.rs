//! Accounts: what the command line and the admin API do to them, and how somebody signs in.

mod sign_in;

pub use crate::password::{PasswordError, Passwords};
pub(crate) use sign_in::{admit, check_unchanged, sign_in};

use tenure_core::id::{LineageId, Subject};
use tenure_core::lineage::{Cut, EndCause};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_store::{AuditEvent, Store, StoreError, User, Written};

use crate::error::Fault;
use crate::password::check_imported;
use crate::random;

/// RFC 5321 section 4.5.3.1.3, less the angle brackets.
pub(crate) const LONGEST_EMAIL: usize = 254;

const SHORTEST_PASSWORD: usize = 8;
const LONGEST_PASSWORD: usize = 1024;

/// Why an account is not added or changed; the text says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The address cannot receive mail.
    #[error("the e-mail address {0}")]
    Email(&'static str),
    /// The new password is too short or too long.
    #[error("a password has 8 to 1024 bytes")]
    Password,
    /// The imported hash cannot be compared with.
    #[error("the password hash {0}")]
    Hash(&'static str),
    /// `sub` is empty, longer than 255 ASCII characters, or has others in it (OIDC Core section 2).
    #[error("a subject has 1 to 255 visible ASCII characters")]
    Subject,
    /// Another account has the e-mail address or the subject.
    #[error("there is an account with this e-mail address or subject already")]
    Taken,
    /// No such account.
    #[error("there is no such account")]
    Missing,
    /// The password could not be hashed now.
    #[error(transparent)]
    Hashing(#[from] PasswordError),
    /// The random generator failed.
    #[error("the random generator failed")]
    Random,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An account to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Sign-in name.
    pub email: String,
    /// How it signs in.
    pub credential: Credential,
    /// `sub`; a random one where there is none.
    pub subject: Option<Subject>,
}

/// How an account signs in.
#[derive(Clone)]
pub enum Credential {
    /// With this password.
    Password(Secret),
    /// With the password behind this hash: argon2, bcrypt or PBKDF2, from another system.
    Hash(String),
    /// By links sent to its address only.
    Mail,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::Hash(_) => "Hash(…)",
            Self::Mail => "Mail",
        })
    }
}

/// Adds an account.
pub async fn add_user(
    store: &dyn Store,
    passwords: &Passwords,
    new: NewUser,
    now: Timestamp,
) -> Result<User, AccountError> {
    check_email(&new.email)?;
    let subject = match new.subject {
        Some(subject) => checked_subject(subject)?,
        None => random_subject()?,
    };
    let password = match new.credential {
        Credential::Password(password) => Some(hash_new(passwords, &password).await?),
        Credential::Hash(hash) => {
            check_imported(&hash).map_err(AccountError::Hash)?;
            Some(hash)
        }
        Credential::Mail => None,
    };
    let user = User {
        subject,
        email: new.email,
        password,
        disabled: false,
        created_at: now,
    };
    match store.add_user(&user).await? {
        Written::Now => {
            record(store, &user.subject, "user_added", None, now).await;
            Ok(user)
        }
        Written::Lost => Err(AccountError::Taken),
    }
}

/// The account with this e-mail address.
pub async fn user_by_email(store: &dyn Store, email: &str) -> Result<User, AccountError> {
    store
        .user_by_email(email)
        .await?
        .ok_or(AccountError::Missing)
}

/// Replaces the password and ends every session; answers the sessions that it ended.
pub async fn set_password(
    store: &dyn Store,
    passwords: &Passwords,
    subject: &Subject,
    password: &Secret,
    now: Timestamp,
) -> Result<Vec<LineageId>, AccountError> {
    let hash = hash_new(passwords, password).await?;
    if store.set_password(subject, None, &hash).await? == Written::Lost {
        return Err(AccountError::Missing);
    }
    record(store, subject, "password_changed", None, now).await;
    Ok(end_all(store, subject, EndCause::CredentialsChanged, now).await?)
}

/// Disables the account and ends every session; answers the sessions that it ended.
pub async fn disable(
    store: &dyn Store,
    subject: &Subject,
    now: Timestamp,
) -> Result<Vec<LineageId>, AccountError> {
    set_disabled(store, subject, true).await?;
    record(store, subject, "account_disabled", None, now).await;
    Ok(end_all(store, subject, EndCause::AccountDisabled, now).await?)
}

/// Enables the account; sessions that had ended stay ended.
pub async fn enable(
    store: &dyn Store,
    subject: &Subject,
    now: Timestamp,
) -> Result<(), AccountError> {
    set_disabled(store, subject, false).await?;
    record(store, subject, "account_enabled", None, now).await;
    Ok(())
}

/// Ends every session and pending sign-in of a subject, also of one that has no account here.
pub async fn end_all(
    store: &dyn Store,
    subject: &Subject,
    cause: EndCause,
    now: Timestamp,
) -> Result<Vec<LineageId>, StoreError> {
    let cut = Cut { before: now, cause };
    let ended = store.revoke_subject(subject, cut, None).await?;
    store.drop_tickets_of(subject).await?;
    let reason = format!("{cause} ({} sessions)", ended.len());
    record(store, subject, "sessions_ended", Some(reason), now).await;
    tracing::info!(
        event = "sessions_ended",
        reason = cause.as_str(),
        count = ended.len()
    );
    Ok(ended)
}

/// What `--dev` brings.
pub(crate) async fn add_demo_user(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    // Of "demo-password"; hashed beforehand, because the start must not wait for it.
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$ZGVtbyBhY2NvdW50ISEhIQ\
        $wpjzuiF0IA6mFO/xtv9rk2GBoJddS4DNMJSUukli350";
    let user = User {
        subject: Subject::new("demo"),
        email: "demo@example.com".to_owned(),
        password: Some(hash.to_owned()),
        disabled: false,
        created_at: now,
    };
    store.add_user(&user).await.map(|_| ())
}

/// An address that mail can be sent to.
pub(crate) fn check_email(email: &str) -> Result<(), AccountError> {
    let wrong = |why| Err(AccountError::Email(why));
    if email.len() > LONGEST_EMAIL {
        return wrong("is longer than 254 bytes");
    }
    if email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong("has a space or control character in it");
    }
    match email.rsplit_once('@') {
        None => wrong("has no @"),
        Some(("", _)) => wrong("has nothing before the @"),
        Some((_, "")) => wrong("has nothing after the @"),
        Some(_) if email.parse::<lettre::Address>().is_err() => wrong("is not valid (RFC 5321)"),
        Some(_) => Ok(()),
    }
}

/// A subject from outside, such as an id of the adopter's user table.
pub(crate) fn checked_subject(subject: Subject) -> Result<Subject, AccountError> {
    let text = subject.as_str();
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(subject)
    } else {
        Err(AccountError::Subject)
    }
}

fn random_subject() -> Result<Subject, AccountError> {
    let bytes = random::bytes().map_err(|_| AccountError::Random)?;
    Ok(Subject::new(
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string(),
    ))
}

async fn hash_new(passwords: &Passwords, password: &Secret) -> Result<String, AccountError> {
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.expose().len()) {
        return Err(AccountError::Password);
    }
    Ok(passwords.hash(password).await?)
}

async fn set_disabled(
    store: &dyn Store,
    subject: &Subject,
    disabled: bool,
) -> Result<(), AccountError> {
    match store.set_disabled(subject, disabled).await? {
        Written::Now => Ok(()),
        Written::Lost => Err(AccountError::Missing),
    }
}

/// What happened has happened: a trail that cannot be written is logged, and the change stands.
async fn record(
    store: &dyn Store,
    subject: &Subject,
    event: &str,
    reason: Option<String>,
    at: Timestamp,
) {
    let event = AuditEvent {
        at,
        event: event.to_owned(),
        subject: Some(subject.clone()),
        client: None,
        sid: None,
        reason,
        ip_prefix: None,
        request_id: None,
    };
    if let Err(error) = store.record(std::slice::from_ref(&event)).await {
        tracing::error!(event = "audit_lost", lost = event.event, %error);
    }
}

impl From<AccountError> for Fault {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Taken => Self::Conflict("the e-mail address or subject is taken"),
            AccountError::Missing => Self::NotFound("there is no such account"),
            AccountError::Hashing(error) => error.into(),
            AccountError::Store(error) => error.into(),
            AccountError::Random => Self::unavailable(error.to_string()),
            AccountError::Email(_)
            | AccountError::Password
            | AccountError::Hash(_)
            | AccountError::Subject => Self::InvalidRequest(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
