//! Every decision as an event: its name, its fields and what they mean, in one place.
//!
//! Names and fields are an interface: log readers and alerts are written against them. No field
//! holds a secret.

use tenure_core::session::Note;
use tracing::{Level, event};

/// A kind of event that a session writes to `tracing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKind {
    /// Its name, the event's message.
    pub name: &'static str,
    /// Its level, such as `INFO`.
    pub level: &'static str,
    /// What happened, in Markdown.
    pub meaning: &'static str,
    /// Its fields and what they say, in Markdown.
    pub fields: &'static [(&'static str, &'static str)],
}

/// Defines what is told, how it is told, and the table of it, so that they cannot disagree.
macro_rules! events {
    ($(
        $(#[doc = $meaning:literal])+
        $level:ident $kind:ident = $name:literal {
            $( $(#[doc = $about:literal])+ $field:ident: $type:ty, )*
        }
    )+) => {
        /// What a session tells.
        #[derive(Clone, Debug)]
        pub(crate) enum Entry {
            $( $(#[doc = $meaning])+ $kind { $( $(#[doc = $about])+ $field: $type, )* }, )+
        }

        impl Entry {
            /// Writes the event.
            pub(crate) fn tell(self) {
                match self {
                    $( Self::$kind { $($field),* } => {
                        event!(Level::$level, $($field = $field,)* $name);
                    } )+
                }
            }
        }

        /// All events, in the order of a session's life.
        pub const EVENTS: &[EventKind] = &[$( EventKind {
            name: $name,
            level: stringify!($level),
            meaning: concat!($($meaning),+),
            fields: &[$( (stringify!($field), concat!($($about),+)) ),*],
        } ),+];
    };
}

events! {
    /// The session is being opened; the vault is about to be read.
    DEBUG BootstrapStarted = "bootstrap_started" {}
    /// The vault was read.
    DEBUG StoreRead = "store_read" {
        /// `record`, `missing`, `empty` or `damaged`.
        found: &'static str,
        /// Which of the two slots held the newest record; absent where none did.
        slot: Option<&'static str>,
    }
    /// The vault was written, or could not be.
    DEBUG StoreWrite = "store_write" {
        /// Whether the record is durable now.
        ok: bool,
        /// How long the record is; 0 where it was not written.
        bytes: usize,
    }
    /// The vault could not be read, written or locked; what it holds is kept.
    WARN StoreFailed = "store_failed" {
        /// `store_read`, `store_write`, `store_lock`, or `store_mark`: the note that a session exists.
        operation: &'static str,
        /// The vault's directory.
        directory: String,
        /// What the operating system or the keystore said.
        error: String,
    }
    /// Chunks of an older record could not be removed; the next write tries again.
    DEBUG StoreLeftovers = "store_leftovers" {
        /// What the store said.
        error: String,
    }
    /// A sign-in was begun.
    INFO SignInStarted = "sign_in_started" {
        /// `code`: in a browser on this device; `device`: in a browser on any device.
        flow: &'static str,
        /// The exact redirect URI of the request, which must be registered for the client: most
        /// refusals before a sign-in page are about it. Absent where there is none.
        redirect_uri: Option<String>,
    }
    /// Somebody came to the redirect URI with the answer to another sign-in, or with none; they were
    /// turned away, and the sign-in goes on.
    WARN SignInStranger = "sign_in_stranger" {
        /// Whether a `state` was in the answer: another sign-in's, or a guess.
        had_state: bool,
    }
    /// The service was asked whether a device is allowed, and gave no answer; it is asked again.
    WARN DevicePollFailed = "device_poll_failed" {
        /// What went wrong.
        cause: String,
        /// Until the next attempt.
        wait_seconds: u64,
    }
    /// A refresh was begun.
    INFO RefreshStarted = "refresh_started" {
        /// `expiring`: less than the margin is left; `expired`; `refused`: an API turned the access
        /// token away.
        reason: &'static str,
    }
    /// A refresh token is on its way to the service.
    DEBUG RefreshSent = "refresh_sent" {
        /// The first twelve hexadecimal digits of the refresh token's SHA-256.
        token: String,
    }
    /// New tokens are saved.
    INFO RefreshSucceeded = "refresh_succeeded" {
        /// Whether the refresh token is a new one, too.
        rotated: bool,
    }
    /// A refresh failed.
    WARN RefreshFailed = "refresh_failed" {
        /// `transient`: it is tried again; `misconfigured`: client or service must change;
        /// `definitive`: the service ended the session.
        class: &'static str,
        /// Whether the session will be cleared, if the vault still holds the token that was sent.
        will_clear: bool,
    }
    /// The service ends the session after the answer to an earlier refresh with the same token was lost
    /// (or that refresh failed): it may have carried that one out, and then takes the repetition for
    /// theft. A service that retires on use takes the repetition for what it is; for any other, no
    /// client can know the successor that it never received.
    WARN AnswerLost = "answer_lost" {
        /// The service.
        issuer: String,
    }
    /// The session is over.
    WARN SessionCleared = "session_cleared" {
        /// Why, such as `logged_out`, `expired_idle` or `theft_detected`.
        reason: String,
    }
    /// The session goes on with what it has, and tries again by itself.
    WARN Degraded = "degraded" {
        /// What went wrong.
        cause: String,
    }
    /// An API turned the access token away; the request is repeated with a newer one.
    INFO AuthRetry = "auth_retry" {
        /// The status of the refusal.
        status: u16,
    }
    /// An API turned the access token away, and the caller gets that answer.
    WARN AuthRetryExhausted = "auth_retry_exhausted" {
        /// The status of the refusal.
        status: u16,
        /// Whether the refused token was a fresh one, so that another would not help. If not, there
        /// was no newer token, or the request's body could not be sent twice.
        had_fresh_token: bool,
    }
    /// APIs turn away fresh tokens: no refresh for that reason for now. The session is kept.
    WARN Refused = "refused" {
        /// What to look at.
        hint: &'static str,
    }
    /// The device slept or its clock was set: everything that time decides was looked at again.
    INFO ClockJumped = "clock_jumped" {
        /// How far the device's clock moved against the monotonic one.
        seconds: i64,
    }
}

impl From<Note> for Entry {
    fn from(note: Note) -> Self {
        match note {
            Note::BootstrapStarted => Self::BootstrapStarted {},
            Note::RefreshStarted { reason } => Self::RefreshStarted { reason },
            Note::RefreshSucceeded { rotated } => Self::RefreshSucceeded { rotated },
            Note::RefreshFailed { class, will_clear } => Self::RefreshFailed { class, will_clear },
            Note::AnswerLost { issuer } => Self::AnswerLost { issuer },
            Note::SessionCleared { reason } => Self::SessionCleared { reason },
            Note::Degraded { cause } => Self::Degraded { cause },
            Note::Refused { hint } => Self::Refused { hint },
            Note::ClockJumped { seconds } => Self::ClockJumped { seconds },
        }
    }
}
