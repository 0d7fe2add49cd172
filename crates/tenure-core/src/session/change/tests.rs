use std::time::Duration;

use super::{Change, Need};
use crate::lineage::{EndCause, KeyHash};
use crate::outcome::Granted;
use crate::secret::Secret;
use crate::session::{Expiry, Millis, Provider, Record, Revocation, Tokens};

const NOW: Millis = Millis(1_700_000_000_000);
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const OTHER_KEY: &str = "BBBBBBBBBBBBBBBBBBBBBB";

fn granted(access: &str, refresh: Option<&str>) -> Granted {
    Granted {
        access_token: Secret::new(access),
        refresh_token: refresh.map(Secret::new),
        expires_in: Some(Duration::from_mins(15)),
    }
}

fn expiry(asked: Millis) -> Expiry {
    Expiry::new(asked, Millis(900_000), None, asked)
}

fn provider(retire_on_use: bool) -> Provider {
    Provider {
        issuer: "https://id.example.com".into(),
        client_id: "app".into(),
        authorization_endpoint: None,
        token_endpoint: "https://id.example.com/token".into(),
        revocation_endpoint: Some("https://id.example.com/revoke".into()),
        names_issuer: false,
        retire_on_use,
        fetched: NOW,
    }
}

fn signed_in() -> Record {
    let mut record = Record::default();
    let tokens = Tokens::new(granted("a0", Some("r0")), expiry(NOW)).expect("has a refresh token");
    let sign_in = Change::SignIn {
        tokens,
        provider: provider(true),
    };
    assert!(sign_in.apply(&mut record));
    record
}

fn begin(key: &str) -> Change {
    Change::Begin {
        need: Need {
            left: Millis(60_000),
            stale: Secret::new("a0"),
            refused: false,
        },
        key: Secret::new(key),
        wall: NOW,
    }
}

fn keep(presented: &str, granted: Granted) -> Change {
    Change::Keep {
        presented: Secret::new(presented),
        granted,
        expiry: expiry(NOW),
    }
}

fn end(presented: &str) -> Change {
    Change::End {
        presented: Secret::new(presented),
        cause: EndCause::TheftDetected,
    }
}

fn tokens(record: &Record) -> &Tokens {
    record.tokens.as_ref().expect("signed in")
}

fn outbox(record: &Record) -> Vec<&str> {
    let tokens = record.outbox.iter().map(|entry| entry.token.expose());
    tokens.collect()
}

#[test]
fn a_retry_uses_the_key_of_the_first_attempt() {
    let mut record = signed_in();
    assert!(begin(KEY).apply(&mut record));
    assert!(
        begin(OTHER_KEY).apply(&mut record),
        "the write is the check that the answer can be saved"
    );
    assert_eq!(tokens(&record).intent, Some(Secret::new(KEY)));
    assert_eq!(tokens(&record).used, [KeyHash::of(KEY.as_bytes())]);
}

#[test]
fn the_successor_claims_the_keys_of_its_parent() {
    let mut record = signed_in();
    assert_eq!(
        tokens(&record).claims,
        None,
        "the first token has no parent"
    );
    begin(KEY).apply(&mut record);
    assert!(keep("r0", granted("a1", Some("r1"))).apply(&mut record));
    let now = tokens(&record);
    assert_eq!(now.refresh_token, Secret::new("r1"));
    assert_eq!(now.intent, None);
    assert_eq!(now.claims, Some(vec![KeyHash::of(KEY.as_bytes())]));
    assert!(now.used.is_empty());
}

#[test]
fn without_a_new_refresh_token_the_old_one_stays() {
    let mut record = signed_in();
    for key in [KEY, OTHER_KEY] {
        let stale = tokens(&record).access_token.clone();
        let need = Need {
            left: Millis(60_000),
            stale,
            refused: false,
        };
        let begin = Change::Begin {
            need,
            key: Secret::new(key),
            wall: NOW,
        };
        assert!(begin.apply(&mut record));
        assert!(keep("r0", granted("a1", None)).apply(&mut record));
    }
    let now = tokens(&record);
    assert_eq!(now.refresh_token, Secret::new("r0"));
    assert_eq!(now.access_token, Secret::new("a1"));
    assert_eq!(now.used.len(), 2, "both keys were used with it");
    assert_eq!(now.claims, None);
}

#[test]
fn nothing_begins_where_another_process_has_refreshed() {
    let mut record = signed_in();
    begin(KEY).apply(&mut record);
    keep("r0", granted("a1", Some("r1"))).apply(&mut record);
    let before = record.clone();
    assert!(!begin(OTHER_KEY).apply(&mut record));
    assert_eq!(record, before);
}

#[test]
fn an_answer_is_kept_only_while_the_presented_token_is_held() {
    let mut record = signed_in();
    keep("r0", granted("a1", Some("r1"))).apply(&mut record);
    let before = record.clone();
    assert!(!keep("r0", granted("a2", Some("r2"))).apply(&mut record));
    assert_eq!(record, before);
}

#[test]
fn an_end_counts_only_for_the_token_that_was_presented() {
    let mut record = signed_in();
    keep("r0", granted("a1", Some("r1"))).apply(&mut record);
    assert!(!end("r0").apply(&mut record));
    assert!(record.tokens.is_some());
    assert!(end("r1").apply(&mut record));
    assert_eq!(record.tokens, None);
    assert_eq!(record.ended, Some(EndCause::TheftDetected));
}

#[test]
fn sign_out_moves_the_session_to_the_outbox_in_one_step() {
    let mut record = signed_in();
    assert!(Change::SignOut.apply(&mut record));
    assert_eq!(record.tokens, None);
    assert_eq!(record.ended, Some(EndCause::LoggedOut));
    assert_eq!(outbox(&record), ["r0"]);
    assert!(!Change::SignOut.apply(&mut record));
    assert!(Change::Revoked(Secret::new("r0")).apply(&mut record));
    assert!(record.outbox.is_empty());
}

#[test]
fn an_answer_that_comes_after_sign_out_is_revoked_too() {
    let mut record = signed_in();
    Change::SignOut.apply(&mut record);
    assert!(keep("r0", granted("a1", Some("r1"))).apply(&mut record));
    assert_eq!(record.tokens, None);
    assert_eq!(outbox(&record), ["r0", "r1"]);
}

#[test]
fn a_new_sign_in_abandons_the_session_before_where_that_is_safe() {
    for (retire_on_use, expected) in [(true, vec!["r0"]), (false, vec![])] {
        let mut record = signed_in();
        record.provider = Some(provider(retire_on_use));
        let sign_in = Change::SignIn {
            tokens: Tokens::new(granted("b0", Some("s0")), expiry(NOW)).expect("has one"),
            provider: provider(retire_on_use),
        };
        assert!(sign_in.apply(&mut record));
        assert_eq!(outbox(&record), expected);
        assert_eq!(tokens(&record).refresh_token, Secret::new("s0"));
    }
}

#[test]
fn the_outbox_is_bounded_and_drops_the_oldest() {
    let mut record = signed_in();
    for turn in 0..40 {
        record.tokens = Tokens::new(granted("a", Some(&format!("r{turn}"))), expiry(NOW));
        Change::SignOut.apply(&mut record);
    }
    assert_eq!(outbox(&record).len(), 16);
    assert_eq!(outbox(&record).first(), Some(&"r24"));
}

#[test]
fn a_record_survives_its_serialisation() {
    let mut record = signed_in();
    begin(KEY).apply(&mut record);
    record.outbox.push(Revocation {
        token: Secret::new("old"),
        client_id: "app".into(),
        endpoint: "https://id.example.com/revoke".into(),
    });
    let json = serde_json::to_vec(&record).expect("serialises");
    assert_eq!(
        serde_json::from_slice::<Record>(&json).expect("parses"),
        record
    );
    assert_eq!(
        serde_json::from_str::<Record>("{}").expect("parses"),
        Record::default()
    );
}

#[test]
fn debug_shows_no_token_and_no_key() {
    let mut record = signed_in();
    begin(KEY).apply(&mut record);
    let shown = format!("{record:?} {:?}", keep("r0", granted("a1", Some("r1"))));
    for secret in ["a0", "r0", "a1", "r1", KEY] {
        assert!(!shown.contains(&format!("\"{secret}\"")), "{shown}");
    }
}
