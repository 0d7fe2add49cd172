//! `tenure login`.

use tenure_client::{Config, Session};

use crate::cli::Login;
use crate::failure::Failure;
use crate::profile::{Profile, settle};
use crate::{password, print, time};

/// Signs in, and keeps the session in the profile.
pub(crate) async fn login(args: Login) -> Result<(), Failure> {
    let profile = Profile::new(args.profile.clone())?;
    let config = Config::new(&args.issuer, &args.client, profile.vault.clone())?;
    let session = Session::open(config.scope(&args.scope))
        .await
        .map_err(|error| match error {
            tenure_client::Error::Misconfigured(why) => Failure::Usage(format!(
                "profile {}: {why}; sign out with: tenure logout, or choose another --profile",
                profile.name
            )),
            error => error.into(),
        })?;
    match args.user {
        Some(email) if args.magic_link => by_mail(&session, &email).await?,
        Some(email) => session.sign_in_password(&email, password::ask()?).await?,
        None if args.device => elsewhere(&session).await?,
        None => in_browser(&session, args.no_browser).await?,
    }
    // The session that this one replaces may still be to be revoked.
    settle(&session).await;
    print::line(format_args!(
        "signed in at {} as client {}",
        args.issuer, args.client
    ))?;
    Ok(())
}

async fn in_browser(session: &Session, no_browser: bool) -> Result<(), Failure> {
    let sign_in = session.sign_in_code().await?;
    print::line(format_args!(
        "Sign in on this page:\n\n  {}\n",
        sign_in.url()
    ))?;
    if !no_browser && let Err(error) = open::that_detached(sign_in.url().as_str()) {
        print::note(format_args!(
            "no browser could be opened ({error}); open the page by hand"
        ));
    }
    Ok(sign_in.finish().await?)
}

async fn by_mail(session: &Session, email: &str) -> Result<(), Failure> {
    session.request_magic_link(email, None).await?;
    print::line(format_args!(
        "If {email} has an account, a link is on its way; copy it here."
    ))?;
    Ok(session.sign_in_magic_link(password::ask_link()?).await?)
}

async fn elsewhere(session: &Session) -> Result<(), Failure> {
    let sign_in = session.sign_in_device().await?;
    print::line(format_args!(
        "On any device open\n\n  {}\n\nand type the code {}",
        sign_in.verification_uri(),
        sign_in.user_code()
    ))?;
    if let Some(uri) = sign_in.verification_uri_complete() {
        print::line(format_args!(
            "or open this page, and compare the code:\n\n  {uri}"
        ))?;
    }
    print::line(format_args!(
        "\nThe code works for {}.",
        time::span(sign_in.expires_in())
    ))?;
    Ok(sign_in.wait().await?)
}
