//! `tenure user`.

use tenure_core::id::LineageId;
use tenure_server::accounts::{self, Credential, NewUser, Passwords};

use crate::beside::Beside;
use crate::cli::{Account, Place, User};
use crate::failure::Failure;
use crate::{password, print, time};

const PAGE: u32 = 500;

/// Adds, changes or lists accounts.
pub(crate) async fn user(args: User) -> Result<(), Failure> {
    match args {
        User::Add {
            email,
            no_password,
            place,
        } => add(email, no_password, place).await,
        User::Password(account) => replace_password(account).await,
        User::Disable(account) => disable(account).await,
        User::Enable(account) => enable(account).await,
        User::List { place } => list(place).await,
    }
}

async fn add(email: String, no_password: bool, place: Place) -> Result<(), Failure> {
    let beside = Beside::open(place).await?;
    let credential = if no_password {
        Credential::Mail
    } else {
        Credential::Password(password::ask_new()?)
    };
    let new = NewUser {
        email,
        credential,
        subject: None,
    };
    let passwords = Passwords::new(1);
    let user = accounts::add_user(beside.store.as_ref(), &passwords, new, beside.now()).await?;
    print::line(format_args!(
        "added {} with subject {}",
        user.email, user.subject
    ))?;
    Ok(())
}

async fn replace_password(Account { email, place }: Account) -> Result<(), Failure> {
    let beside = Beside::open(place).await?;
    let store = beside.store.as_ref();
    let user = accounts::user_by_email(store, &email).await?;
    let new = password::ask_new()?;
    let passwords = Passwords::new(1);
    let ended =
        accounts::set_password(store, &passwords, &user.subject, &new, beside.now()).await?;
    print::line(format_args!(
        "changed the password of {email}; {}",
        sessions_ended(&ended)
    ))?;
    Ok(())
}

async fn disable(Account { email, place }: Account) -> Result<(), Failure> {
    let beside = Beside::open(place).await?;
    let store = beside.store.as_ref();
    let user = accounts::user_by_email(store, &email).await?;
    let ended = accounts::disable(store, &user.subject, beside.now()).await?;
    print::line(format_args!("disabled {email}; {}", sessions_ended(&ended)))?;
    Ok(())
}

async fn enable(Account { email, place }: Account) -> Result<(), Failure> {
    let beside = Beside::open(place).await?;
    let store = beside.store.as_ref();
    let user = accounts::user_by_email(store, &email).await?;
    accounts::enable(store, &user.subject, beside.now()).await?;
    print::line(format_args!("enabled {email}"))?;
    Ok(())
}

async fn list(place: Place) -> Result<(), Failure> {
    let beside = Beside::open(place).await?;
    let mut rows = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = beside.store.users(after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.email.clone());
        rows.extend(page.into_iter().map(|user| {
            let signs_in = if user.password.is_some() {
                "password"
            } else {
                "mail"
            };
            let state = if user.disabled { "disabled" } else { "enabled" };
            let added = time::show(user.created_at);
            [
                user.email,
                user.subject.to_string(),
                state.to_owned(),
                signs_in.to_owned(),
                added,
            ]
        }));
    }
    print::table(["EMAIL", "SUBJECT", "STATE", "SIGNS IN BY", "ADDED"], &rows)?;
    Ok(())
}

fn sessions_ended(ended: &[LineageId]) -> String {
    match ended.len() {
        1 => "1 session ended".to_owned(),
        count => format!("{count} sessions ended"),
    }
}
