//! Cases that every backend passes, each written once.
//!
//! A backend's tests are one line, in which the expression opens an empty store:
//!
//! ```
//! # mod tests {
//! use tenure_store::conformance::Fixture;
//! use tenure_store::{Memory, store_conformance};
//!
//! store_conformance!(Fixture::new(Memory::new(), ()));
//! # }
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a case fails by panicking; the store's trouble is a failure here"
)]

pub mod accounts;
pub mod audit;
pub mod devices;
pub mod keys;
pub mod presenter;
pub mod races;
pub mod records;
pub mod session_log;
pub mod sessions;
pub mod subjects;
pub mod sweep;
pub mod tickets;
pub mod transfer;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{Cut, EndCause, Grant, Revocation, Row, RowSecret, TokenId};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;
use uuid::Uuid;

use crate::Store;

/// An empty store and what it lives in.
#[derive(Debug)]
pub struct Fixture {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Dropped after the case, such as a temporary directory.
    _home: Box<dyn Any>,
}

impl Fixture {
    /// A store that needs `home` as long as it lives.
    pub fn new(store: impl Store + 'static, home: impl Any) -> Self {
        Self {
            store: Arc::new(store),
            _home: Box::new(home),
        }
    }
}

/// Makes one test of each case; `$open` is evaluated in each and answers a [`Fixture`].
#[macro_export]
macro_rules! store_conformance {
    ($open:expr) => {
        $crate::store_conformance! { $open;
            sessions {
                a_session_reads_back_as_it_was_created,
                a_lineage_is_created_once,
                an_unknown_lineage_has_no_row,
                an_advance_writes_head_ring_and_mark,
                an_advance_from_another_head_is_lost,
                an_advance_of_an_ended_session_is_lost,
                an_advance_of_an_unknown_session_is_lost,
                a_use_is_noted_in_the_head,
                a_fifth_use_finds_no_room,
                a_use_is_noted_once,
                a_use_of_another_head_or_an_ended_session_is_lost,
                a_session_ends_once,
                the_log_knows_the_ends_only,
                an_advance_changes_nothing_else,
                a_judge_sees_the_session_and_gets_what_it_wants_written,
                a_judge_that_panics_leaves_the_store_usable,
            }
            races {
                a_logout_between_read_and_write_wins,
                of_two_advances_from_one_head_one_is_written,
                sixty_four_presentations_of_one_token_leave_one_branch,
                sixty_four_presentations_of_the_head_are_all_answered,
                sixty_four_sessions_move_at_once,
                a_write_that_fails_alone_fails_alone,
                sixty_four_ends_of_one_session_end_it_once,
                refreshes_and_a_logout_at_once_end_the_session,
                an_idle_session_expires_at_its_limit,
                a_busy_session_expires_at_its_absolute_limit,
            }
            subjects {
                sessions_are_listed_newest_first,
                ending_a_subject_ends_all_its_sessions,
                ending_a_subject_spares_the_kept_session,
                a_cut_is_seen_by_a_session_created_after_it,
                a_kept_session_is_not_spared_from_a_later_cut,
                an_earlier_cut_does_not_replace_a_later_one,
                a_session_of_another_subject_is_not_kept,
            }
            sweep {
                living_sessions_stay,
                sessions_go_after_their_absolute_limit,
                sessions_go_after_twice_their_idle_limit,
                ended_sessions_go_after_a_day,
                expired_tickets_go,
                a_sweep_stops_at_its_limit,
            }
            tickets {
                a_ticket_reads_back_as_it_was_added,
                an_expired_ticket_is_gone,
                a_ticket_is_taken_once,
                sixty_four_takers_of_one_ticket_get_it_once,
                a_ticket_of_another_kind_is_another_ticket,
                a_dropped_ticket_is_gone,
                all_tickets_of_a_subject_are_dropped,
            }
            devices {
                a_device_authorization_reads_back_as_it_was_added,
                a_user_code_belongs_to_one_device_authorization,
                a_poll_waits_for_the_decision,
                a_poll_before_the_interval_slows_down,
                a_poll_of_another_client_finds_and_changes_nothing,
                an_allowed_device_authorization_is_redeemed_once,
                sixty_four_polls_redeem_a_device_authorization_once,
                the_key_that_redeemed_it_is_answered_again,
                a_denied_device_authorization_is_not_redeemed,
                a_decision_is_made_once,
                sixty_four_decisions_are_one,
                an_expired_device_authorization_is_neither_decided_nor_redeemed,
                a_dropped_device_authorization_is_gone,
                what_a_subject_allowed_is_dropped_with_its_tickets,
                expired_device_authorizations_go_after_a_while,
            }
            accounts {
                an_account_is_found_by_address_without_regard_to_case,
                an_address_belongs_to_one_account,
                a_subject_belongs_to_one_account,
                accounts_are_listed_page_by_page,
                a_password_is_replaced_only_where_it_is_the_expected_one,
                an_account_is_disabled_and_enabled,
                a_change_of_an_unknown_account_is_lost,
                a_consent_replaces_the_one_before,
            }
            keys {
                keys_are_listed_oldest_first_and_by_use,
                of_two_servers_that_add_a_key_one_wins,
                keys_of_other_algorithms_do_not_contend,
                a_key_moves_only_from_the_state_it_is_in,
                a_retired_key_forgets_its_material,
                the_version_changes_with_keys_accounts_and_cuts_only,
            }
            audit {
                events_are_read_newest_first,
                events_are_filtered_and_limited,
            }
            records {
                a_row_with_every_field_reads_back,
                a_row_without_optional_fields_reads_back,
                a_store_describes_itself_and_passes_its_check,
                counters_count_writes,
            }
            transfer {
                everything_reads_back_from_another_store,
                everything_of_another_store_reads_back_from_this_one,
                an_import_twice_changes_nothing,
                an_older_record_does_not_replace_a_newer_one,
                an_end_is_never_undone,
                an_account_is_replaced_by_what_is_imported,
                pages_do_not_miss_sessions_while_others_begin,
                changes_tell_which_sessions_began_and_ended,
                a_spared_session_stays_spared_in_another_store,
            }
        }
    };
    ($open:expr; $($file:ident { $($case:ident,)* })*) => {
        $(mod $file {
            #[allow(unused_imports, reason = "the expression names what its module imports")]
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    let fixture = $open;
                    $crate::conformance::$file::$case(&fixture.store).await;
                }
            )*
        })*
    };
}

/// When the cases begin.
pub const START: Timestamp = Timestamp(1_800_000_000);

/// Idle limit of the sessions of the cases.
pub const IDLE: Duration = Duration::from_hours(24);

/// Absolute limit of the sessions of the cases.
pub const ABSOLUTE: Duration = Duration::from_hours(240);

/// A new session of `user-1`; `n` tells it from others.
pub fn session(n: u64) -> Row {
    session_of("user-1", n)
}

/// A new session of a subject; `n` tells it from others.
pub fn session_of(subject: &str, n: u64) -> Row {
    let grant = Grant {
        subject: Subject::new(subject),
        client: ClientId::new("demo"),
        scope: Scope::parse("openid offline_access"),
        audience: vec!["https://api.example".to_owned()],
        auth_time: START,
    };
    let mut secret = [7; 16];
    secret[..8].copy_from_slice(&n.to_be_bytes());
    let first = TokenId((n | 1 << 63).to_be_bytes());
    Row::new(
        lineage(n),
        RowSecret(secret),
        first,
        grant,
        (IDLE, ABSOLUTE),
        START,
    )
}

/// The lineage of [`session`] `n`.
pub fn lineage(n: u64) -> LineageId {
    LineageId(Uuid::from_u64_pair(0x0190_0000_0000_7000, 1 << 63 | n))
}

/// An end by the user, at the start.
pub fn logout() -> Revocation {
    Revocation {
        at: START,
        cause: EndCause::LoggedOut,
    }
}

/// A change of password.
pub fn cut(before: Timestamp) -> Cut {
    Cut {
        before,
        cause: EndCause::CredentialsChanged,
    }
}

/// Adds sessions.
pub async fn create_all(store: &Arc<dyn Store>, rows: &[Row]) {
    for row in rows {
        store.create(row).await.unwrap();
    }
}

/// The row as it is now.
pub async fn row_of(store: &Arc<dyn Store>, lineage: LineageId) -> Row {
    store.load(lineage).await.unwrap().unwrap().row
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_case_is_forgotten() {
        let list = include_str!("mod.rs");
        let files = [
            include_str!("accounts.rs"),
            include_str!("audit.rs"),
            include_str!("devices.rs"),
            include_str!("keys.rs"),
            include_str!("races.rs"),
            include_str!("records.rs"),
            include_str!("sessions.rs"),
            include_str!("subjects.rs"),
            include_str!("sweep.rs"),
            include_str!("tickets.rs"),
            include_str!("transfer.rs"),
        ];
        for case in files
            .iter()
            .flat_map(|file| file.split("pub async fn ").skip(1))
        {
            let name = case.split('(').next().unwrap();
            assert!(list.contains(&format!(" {name},")), "{name} is in no list");
        }
    }
}
