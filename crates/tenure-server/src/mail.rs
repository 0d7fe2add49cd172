//! Outgoing mail: over SMTP, and with `--dev` into an outbox that a page shows.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::IpAddr;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use parking_lot::Mutex;
use url::Url;

use crate::config::{Config, Smtp};

/// Mails that the outbox remembers.
const OUTBOX: usize = 50;

/// Sends mail, in whatever ways are configured.
#[derive(Debug)]
pub(crate) struct Mailer {
    smtp: Option<Sender>,
    outbox: Option<Mutex<VecDeque<Mail>>>,
}

#[derive(Debug)]
struct Sender {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A text mail.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) subject: String,
    /// May hold a link that signs in.
    pub(crate) text: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail(…)")
    }
}

/// Why a mail did not leave; says nothing of its content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error("no [smtp] is configured")]
    NotConfigured,
    #[error("the address or text cannot be sent")]
    Unsendable,
    #[error("the mail server refused it or is not there: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
}

impl Mailer {
    /// By the configuration; the error is the reason, without the URL, which has a password in it.
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        Ok(Self {
            smtp: config.smtp.as_ref().map(Sender::new).transpose()?,
            outbox: config.dev.then(Mutex::default),
        })
    }

    /// True where a mail can go somewhere.
    pub(crate) fn is_configured(&self) -> bool {
        self.smtp.is_some() || self.outbox.is_some()
    }

    /// Sends it; with `--dev` shows it on the console and in the outbox too.
    pub(crate) async fn send(&self, mail: Mail) -> Result<(), MailError> {
        if !self.is_configured() {
            return Err(MailError::NotConfigured);
        }
        if let Some(outbox) = &self.outbox {
            show(&mail);
            let mut outbox = outbox.lock();
            outbox.truncate(OUTBOX - 1);
            outbox.push_front(mail.clone());
        }
        if let Some(sender) = &self.smtp {
            sender.send(mail).await?;
        }
        Ok(())
    }

    /// The mails of this process, newest first; nothing without `--dev`.
    pub(crate) fn outbox(&self) -> Vec<Mail> {
        self.outbox
            .as_ref()
            .map(|outbox| outbox.lock().iter().cloned().collect())
            .unwrap_or_default()
    }
}

/// Straight to the console: the log must not hold a link that signs in.
fn show(mail: &Mail) {
    let Mail { to, subject, text } = mail;
    let shown = writeln!(
        std::io::stdout(),
        "\n--- mail to {to}: {subject}\n{text}\n---"
    );
    if let Err(error) = shown {
        tracing::warn!(event = "console_closed", %error);
    }
}

impl Sender {
    fn new(smtp: &Smtp) -> Result<Self, String> {
        let from = smtp
            .from
            .parse()
            .map_err(|_| "smtp.from is no mail address".to_owned())?;
        let url = protected(smtp.url.expose())?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|_| "it is no URL of a mail server".to_owned())?
            .build();
        Ok(Self { transport, from })
    }

    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let to = mail.to.parse().map_err(|_| MailError::Unsendable)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text)
            .map_err(|_| MailError::Unsendable)?;
        self.transport.send(message).await?;
        Ok(())
    }
}

/// `smtp://` would send passwords and sign-in links in the clear; beyond this machine it means
/// STARTTLS, unless the URL says otherwise.
fn protected(url: &str) -> Result<Url, String> {
    let mut url = Url::parse(url).map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    let says = url.query_pairs().any(|(name, _)| name == "tls");
    if url.scheme() == "smtp" && !loopback && !says {
        url.query_pairs_mut().append_pair("tls", "required");
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
