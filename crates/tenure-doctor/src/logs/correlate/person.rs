//! What is remembered of one user, device or client.

use std::collections::VecDeque;

use crate::logs::Event;
use crate::logs::event::{Answer, Happening, Kind};
use crate::logs::findings::Moment;

/// Events of a person that are kept for the timeline.
pub(in crate::logs) const RECENT: usize = 12;

/// What is remembered of one user, device or client.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Default)]
pub(in crate::logs) struct Person {
    /// For the timeline.
    pub(in crate::logs) recent: VecDeque<Event>,
    /// Further events that go to the timeline at once.
    pub(in crate::logs) follow: u8,
    pub(super) guessed: bool,
    /// Signed in twice with no refusal between: several people behind one address, as far as can be seen.
    pub(super) shared: bool,

    /// The last refresh that was sent: its token, and when.
    pub(super) sent: Option<(Option<String>, Moment)>,
    /// A second one was sent within a second of it, and no answer since has been `invalid_grant`.
    pub(super) sent_twice: Option<u64>,
    /// The last refresh that succeeded, with the access token that it brought.
    pub(super) refreshed: Option<(Moment, Option<String>)>,
    /// The last answer to a refresh that says nothing about the token, in words.
    pub(super) passing: Option<(Moment, String)>,
    /// The last answer that says that the token is dead.
    pub(super) dead: Option<Moment>,
    /// The last time that the store was cleared or the user was shown as signed out, on nobody's wish.
    pub(super) removed: Option<(Moment, Option<String>)>,

    /// The last login, and the lifetime that it promised.
    pub(super) login: Option<(Moment, Option<u64>)>,
    /// Seconds from login to the first 401, while nothing speaks against expiry.
    pub(super) expired_after: Option<(u64, Moment)>,

    /// The last login or good refresh.
    pub(super) alive: Option<Moment>,
    pub(super) launched: Option<Moment>,
    pub(super) restored: bool,
    /// Refusals since the launch, before anything was restored.
    pub(super) early: Option<(u64, Moment)>,
    /// Paths that were requested without a token before anything was restored.
    pub(super) bare: Vec<String>,
    /// When the store was cleared without the user interface following.
    pub(super) cleared: Option<Moment>,
    pub(super) signed_out: Option<Moment>,
    /// The app started with a user whom it takes for signed in.
    pub(super) shown: Option<Moment>,
    /// It found no part of a session in its store.
    pub(super) found_none: bool,

    /// The last restart before which all was well, counted from 1; 0 for never.
    pub(super) good_epoch: u32,
    /// Turned away, and not answered well since; whether a restart lies in between, and whether it
    /// was a refresh.
    pub(super) lost: Option<(bool, bool, Moment)>,
    /// Refusals since the last good answer.
    pub(super) refused_open: u64,
    /// A sign-in or a good refresh since the last refusal.
    pub(super) renewed: bool,
    /// The last good answer after a refusal that nothing renewed.
    pub(super) well_again: Option<Moment>,
    /// Logins so far, so that what was seen before is not compared with what is seen after.
    pub(super) logins: u32,
    /// Refreshes so far, likewise.
    pub(super) refreshes: u32,
}

impl Person {
    /// Takes over what later events are compared with.
    pub(super) fn remember(&mut self, event: &Happening) {
        let now = Moment::from(event);
        self.guessed = event.who.guessed;
        let renews =
            event.kind == Kind::Login || event.kind == Kind::RefreshAnswered && event.good();
        self.renewed |= renews;
        if renews {
            self.well_again = None;
        }
        match event.kind {
            Kind::Login => {
                self.login = Some((now, event.lifetime));
                self.logins += 1;
                (self.passing, self.dead, self.removed, self.cleared) = (None, None, None, None);
                self.signed_out = None;
            }
            Kind::RefreshAnswered | Kind::Reuse => self.refresh(event, now),
            Kind::Cleared | Kind::SignedOut if !event.wanted => {
                self.removed = Some((now, event.reason.clone()));
            }
            _ => {}
        }
    }

    fn refresh(&mut self, event: &Happening, now: Moment) {
        match event.answer {
            Answer::Good => {
                self.refreshed = Some((now, event.new_access.clone()));
                self.refreshes += 1;
                self.passing = None;
            }
            Answer::Passing => self.passing = Some((now, event.outcome())),
            Answer::Dead(_) => self.dead = Some(now),
            Answer::Unknown => {}
        }
    }
}
