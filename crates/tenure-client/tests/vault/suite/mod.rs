//! What every vault has to stand, each case written once.
//!
//! A case answers what is wrong, so that the controls can show that it notices.

pub(crate) mod answers;
pub(crate) mod changes;
pub(crate) mod damage;
pub(crate) mod locked;
pub(crate) mod writers;

use std::collections::BTreeMap;

use tenure_client::{Found, Vault};

use self::changes::token;

/// A vault under test, and the bytes below it.
pub(crate) trait Subject {
    /// A new handle, as another process would have it.
    fn open(&self) -> Box<dyn Vault>;

    /// Everything in which the record lies, by name.
    fn blobs(&self) -> Blobs;

    /// Replaces one of them.
    fn put(&self, name: &str, bytes: Option<&[u8]>);

    /// The writes that led from `before` to what is there now, in their order.
    fn writes_since(&self, before: &Blobs) -> Vec<Write>;

    /// Makes the vault, without anything in it.
    fn make_empty(&self);

    /// Makes the bytes impossible to read, or possible again.
    fn break_down(&self, broken: bool);

    /// Only every so many bytes are cut at or get a flipped bit: where a reading takes long.
    fn stride(&self) -> usize {
        1
    }

    /// Replaces all.
    fn reset(&self, blobs: &Blobs) {
        for name in self
            .blobs()
            .keys()
            .filter(|name| !blobs.contains_key(*name))
        {
            self.put(name, None);
        }
        let now = self.blobs();
        for (name, bytes) in blobs
            .iter()
            .filter(|(name, bytes)| now.get(*name) != Some(bytes))
        {
            self.put(name, Some(bytes));
        }
    }

    /// The refresh token that is found, or what else.
    fn held(&self) -> String {
        match self.open().load() {
            Ok(Found::Record(record)) => token(&record),
            Ok(other) => format!("{other:?}"),
            Err(fault) => format!("{fault:?}"),
        }
    }
}

pub(crate) type Blobs = BTreeMap<String, Vec<u8>>;

/// One write of a vault to what lies below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) name: String,
    /// `None`: removed.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// Its values lie in a store that can be locked.
pub(crate) trait Storage: Subject {
    fn lock_up(&self, locked: bool);
}

/// What a case answers: what is wrong.
pub(crate) type Verdict = Result<(), String>;

/// Fails with a text.
macro_rules! ensure {
    ($holds:expr, $($why:tt)*) => {
        if !$holds {
            return Err(format!($($why)*));
        }
    };
}
pub(crate) use ensure;

/// Runs all cases for one vault, each with a new one, `$within` what it needs around it.
macro_rules! conformance {
    ($name:ident, $subject:expr, locks: $locks:tt, within: $within:path) => {
        mod $name {
            use super::*;

            suite::conformance!(@cases $subject, $within;
                answers::the_last_of_several_records_is_found
                answers::missing_empty_damaged_and_unreadable_are_different_answers
                answers::a_damaged_vault_takes_a_new_sign_in
                answers::a_lost_first_sign_in_is_damage
                answers::a_session_that_is_over_is_no_damage
                answers::a_change_without_effect_writes_nothing
                answers::a_newer_format_is_refused_and_left_as_it_is
                answers::the_refresh_lock_is_exclusive_until_it_is_dropped
                damage::a_write_torn_at_any_byte_leaves_an_intact_record
                damage::any_flipped_bit_leaves_an_intact_record
                damage::a_torn_write_is_mended_by_the_next
                writers::two_writers_lose_no_update
            );
            suite::conformance!(@locks $locks $subject, $within);
        }
    };
    (@locks yes $subject:expr, $within:path) => {
        suite::conformance!(
            @cases $subject, $within; locked::locked_is_neither_missing_nor_damaged
        );
    };
    (@locks no $subject:expr, $within:path) => {};
    (@cases $subject:expr, $within:path; $($about:ident::$case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $within(concat!(module_path!(), "::", stringify!($case)), || {
                    suite::$about::$case(&$subject).unwrap();
                });
            }
        )*
    };
}
pub(crate) use conformance;
