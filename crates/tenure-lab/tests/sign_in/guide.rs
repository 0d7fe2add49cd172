//! The program of docs/guides/sign-in.md.

use std::path::Path;

use tenure_client::{Config, Error, FileVault, Secret, Session};

pub(crate) async fn open(issuer: &str, profile: &Path) -> Result<Session, Error> {
    let config = Config::new(issuer, "demo", FileVault::new(profile))?;
    Session::open(config).await
}

pub(crate) async fn in_the_browser(
    session: &Session,
    open_page: impl FnOnce(&str),
) -> Result<(), Error> {
    let sign_in = session.sign_in_code().await?;
    open_page(sign_in.url().as_str());
    sign_in.finish().await
}

pub(crate) async fn on_another_device(
    session: &Session,
    show: impl FnOnce(&str, &str),
) -> Result<(), Error> {
    let sign_in = session.sign_in_device().await?;
    show(sign_in.verification_uri(), sign_in.user_code());
    sign_in.wait().await
}

pub(crate) async fn with_a_password(
    session: &Session,
    email: &str,
    password: String,
) -> Result<(), Error> {
    session.sign_in_password(email, Secret::new(password)).await
}

pub(crate) async fn ask_for_a_link(session: &Session, email: &str) -> Result<(), Error> {
    session.request_magic_link(email, None).await
}

pub(crate) async fn with_a_link(session: &Session, link: String) -> Result<(), Error> {
    session.sign_in_magic_link(Secret::new(link)).await
}

pub(crate) fn advice(failed: &Error) -> &'static str {
    match failed {
        Error::Transient { .. } => "The network or the service has trouble. Try again in a moment.",
        Error::SignInRefused { code, .. } if code == "expired_token" => {
            "That took too long. Start again."
        }
        Error::SignInRefused { .. } => "You were not signed in.",
        Error::StorageUnavailable(_) => "Unlock this device, or make room on its disk.",
        _ => "This app is not set up correctly; its log says why.",
    }
}
