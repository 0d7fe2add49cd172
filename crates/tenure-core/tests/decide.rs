//! The rule of refresh-token rotation, line by line: each test fails where its line is missing.

use std::time::Duration;

use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Asked, Clock, Content, Cut, EndCause, Evidence, Grant, Head, IdempotencyKey, KeyHash, MacKey,
    MacKeyId, MacKeys, Policy, Retired, Revocation, Row, RowSecret, Rules, Step, TokenId,
    Unreadable, Verdict, decide,
};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

const START: u64 = 1_000_000;
const DAY: u64 = 86_400;
const IDLE: u64 = 30 * DAY;
const ABSOLUTE: u64 = 365 * DAY;
const WINDOW: u64 = 60;

#[test]
fn line_1_garbage_and_retired_keys_are_unknown() {
    let scene = Scene::new();
    for unreadable in [Unreadable::Garbage, Unreadable::RetiredKey] {
        let verdict = decide(
            Err(unreadable),
            Some(&scene.row),
            &scene.asked(),
            &scene.rules,
        );
        assert_eq!(verdict, Verdict::Unknown, "{unreadable:?}");
    }
}

#[test]
fn line_1a_a_key_that_this_server_lacks_is_the_servers_trouble() {
    let scene = Scene::new();
    let id = MacKeyId([1, 2, 3, 4]);
    let verdict = decide(
        Err(Unreadable::MissingKey(id)),
        Some(&scene.row),
        &scene.asked(),
        &scene.rules,
    );
    assert_eq!(verdict, Verdict::MissingKey(id));
}

#[test]
fn line_2_a_token_without_a_row_is_of_an_unknown_lineage() {
    let scene = Scene::new();
    let token = scene.read(&scene.row.first_token());
    let verdict = decide(Ok(&token), None, &scene.asked(), &scene.rules);
    assert_eq!(verdict, Verdict::UnknownLineage);
}

#[test]
fn line_2a_another_clients_token_is_refused_and_no_client_named_is_none_to_compare() {
    let mut scene = Scene::new();
    scene.client = Some(ClientId::new("other"));
    assert_eq!(
        scene.present(&scene.row.first_token()),
        Verdict::WrongClient
    );
    scene.row.revoked = Some(revoked(EndCause::LoggedOut));
    assert_eq!(
        scene.present(&scene.row.first_token()),
        Verdict::WrongClient,
        "another client does not even learn that the session is over"
    );
    scene.row.revoked = None;
    scene.client = None;
    assert!(matches!(
        scene.present(&scene.row.first_token()),
        Verdict::Again { .. }
    ));
}

#[test]
fn line_2a_a_token_forged_with_a_leaked_mac_key_has_a_bad_seal() {
    let scene = Scene::new();
    let forged = scene
        .keys
        .write(&scene.row.first_token(), &RowSecret([0xee; 16]));
    let token = scene.keys.read(forged.expose()).unwrap();
    let verdict = decide(Ok(&token), Some(&scene.row), &scene.asked(), &scene.rules);
    assert_eq!(verdict, Verdict::BadSeal);
}

#[test]
fn line_3_a_revoked_row_answers_with_its_own_cause() {
    let mut scene = Scene::new();
    for cause in EndCause::ALL {
        scene.row.revoked = Some(revoked(cause));
        assert_eq!(
            scene.present(&scene.row.first_token()),
            Verdict::Ended(cause)
        );
    }
}

#[test]
fn line_3_a_cut_ends_what_was_signed_in_before_it_and_nothing_after() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let cause = EndCause::CredentialsChanged;
    scene.cut = Some(Cut {
        before: Timestamp(START + 1),
        cause,
    });
    assert_eq!(scene.present(&first), Verdict::Ended(cause));
    scene.cut = Some(Cut {
        before: Timestamp(START),
        cause,
    });
    assert!(matches!(scene.present(&first), Verdict::Again { .. }));
}

#[test]
fn line_3_the_absolute_lifetime_ends_an_active_session() {
    let mut scene = Scene::new();
    let (_, newest) = scene.advance(ABSOLUTE);
    assert!(matches!(scene.present(&newest), Verdict::Advance(_)));
    scene.now = START + ABSOLUTE + 1;
    assert_eq!(
        scene.present(&newest),
        Verdict::Ended(EndCause::ExpiredAbsolute)
    );
}

#[test]
fn line_3_the_idle_limit_counts_from_the_later_of_the_heads_start_and_the_tokens_issue() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    scene.now = START + IDLE;
    let successor = granted(scene.present(&first));
    scene.now = START + IDLE + 1;
    assert_eq!(
        scene.present(&first),
        Verdict::Ended(EndCause::ExpiredIdle),
        "the head itself is idle"
    );
    assert!(
        matches!(scene.present(&successor), Verdict::Advance(_)),
        "an answer that wrote nothing extends the session of its token all the same"
    );
}

#[test]
fn line_3_a_clock_in_doubt_expires_nothing_but_a_revocation_needs_no_clock() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    scene.clock = Clock::Doubtful;
    for now in [START + IDLE + 1, START + ABSOLUTE + 1] {
        scene.now = now;
        assert_eq!(scene.present(&first), Verdict::ClockInDoubt);
    }
    scene.row.revoked = Some(revoked(EndCause::LoggedOut));
    assert_eq!(
        scene.present(&first),
        Verdict::Ended(EndCause::LoggedOut),
        "a revocation needs no clock"
    );
}

#[test]
fn line_4_the_head_gets_a_different_successor_each_time_and_writes_nothing() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    for later in [0, 2, 12 * 3600] {
        scene.now = START + later;
        scene.fresh = TokenId([later.to_be_bytes()[6] + 9; 8]);
        let Verdict::Again { successor, note } = scene.present(&first) else {
            panic!("the head is never turned away");
        };
        assert_eq!(note, None);
        assert_eq!(
            successor,
            Content {
                lineage: first.lineage,
                generation: 1,
                id: scene.fresh,
                parent: first.id,
                issued_at: Timestamp(scene.now),
                made_by: KeyHash::NONE,
            }
        );
    }
}

#[test]
fn line_4_notes_each_key_once_up_to_four() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    for number in 0..Head::USES {
        scene.key = Some(key(number));
        let note = noted(&scene.present(&first));
        assert_eq!(note, Some(key(number).hash()));
        scene.row.head.uses.extend(note);
        assert_eq!(
            noted(&scene.present(&first)),
            None,
            "the same attempt is noted once"
        );
    }
    scene.key = Some(key(99));
    assert_eq!(noted(&scene.present(&first)), None, "the row does not grow");
}

#[test]
fn line_4_notes_a_use_without_a_key_only_beside_uses_with_one() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    assert_eq!(noted(&scene.present(&first)), None);
    scene.row.head.uses = vec![key(1).hash()];
    assert_eq!(noted(&scene.present(&first)), Some(KeyHash::NONE));
    scene.row.head.uses.push(KeyHash::NONE);
    assert_eq!(noted(&scene.present(&first)), None);
}

#[test]
fn line_5_a_child_of_the_head_takes_its_place_and_the_head_goes_into_the_ring() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let child = granted(scene.present(&first));
    scene.now += 5;
    scene.key = Some(key(1));
    let step = advance(scene.present(&child));
    assert_eq!(step.expected, first.id);
    assert_eq!(
        step.head,
        Head {
            id: child.id,
            generation: 1,
            since: Timestamp(START + 5),
            uses: vec![key(1).hash()],
        }
    );
    let retired = Retired {
        id: first.id,
        at: Timestamp(START + 5),
    };
    assert_eq!(step.ring, [retired]);
    assert_eq!(step.history_unknown_until, None);
    assert_eq!(
        (step.successor.generation, step.successor.parent),
        (2, child.id)
    );
    assert!(!step.parallel_use);
}

#[test]
fn line_5_needs_the_next_generation_beside_the_right_parent() {
    let scene = Scene::new();
    let first = scene.row.first_token();
    let mut child = granted(scene.present(&first));
    child.generation = 0;
    assert_eq!(
        scene.present(&child),
        Verdict::Reuse(Evidence::Sibling),
        "an authentic token with an impossible generation is no child"
    );
}

#[test]
fn ring_guard_a_full_ring_of_young_entries_makes_the_client_wait_for_the_oldest() {
    let mut scene = Scene::new();
    scene.rules.ring = 2;
    scene.advance(10);
    let (_, newest) = scene.advance(20);
    scene.now = START + 30;
    assert_eq!(
        scene.present(&newest),
        Verdict::RingFull {
            retry_after: secs(WINDOW - 20)
        }
    );
    scene.now = START + 10 + WINDOW;
    let step = advance(scene.present(&newest));
    assert_eq!(step.ring.len(), 2, "the ring does not grow");
    assert_eq!(step.ring[0].at, Timestamp(START + 20));
}

#[test]
fn ring_guard_also_holds_for_a_token_that_is_ahead() {
    let mut scene = Scene::new();
    scene.rules.ring = 2;
    scene.advance(1);
    scene.advance(2);
    let ahead = scene.ahead_by(2);
    assert!(matches!(scene.present(&ahead), Verdict::RingFull { .. }));
    scene.now = START + 2 + WINDOW;
    assert!(matches!(scene.present(&ahead), Verdict::Ahead(_)));
}

#[test]
fn ring_guard_survives_a_ring_that_is_configured_away() {
    let mut scene = Scene::new();
    scene.rules.ring = 0;
    let (_, newest) = scene.advance(1);
    assert!(matches!(scene.present(&newest), Verdict::RingFull { .. }));
}

#[test]
fn line_6_a_late_duplicate_is_told_how_long_to_wait_and_changes_nothing() {
    let mut scene = Scene::new();
    let (old, _) = scene.advance(100);
    for age in [0, 1, WINDOW - 1] {
        scene.now = START + 100 + age;
        let retry_after = secs(WINDOW - age);
        assert_eq!(scene.present(&old), Verdict::Superseded { retry_after });
    }
}

#[test]
fn line_6_the_window_is_the_smaller_of_a_minute_and_eight_access_lifetimes() {
    let window = |policy, lifetime| Rules::new(policy, Duration::from_secs(lifetime)).late_window;
    assert_eq!(window(Policy::RetireOnUse, 900), secs(60));
    assert_eq!(window(Policy::RetireOnUse, 5), secs(40));
    assert_eq!(window(Policy::Strict, 900), Duration::ZERO);
}

#[test]
fn line_6_after_lost_writes_no_old_token_proves_anything_for_one_window() {
    let mut scene = Scene::new();
    let lost = scene.ahead_by(2);
    let newest = scene.ahead_by(4);
    scene.take(scene.present(&newest));
    let sibling = Content {
        id: TokenId([77; 8]),
        ..newest.clone()
    };
    for forgotten in [&lost, &sibling] {
        let retry_after = secs(WINDOW);
        assert_eq!(
            scene.present(forgotten),
            Verdict::Superseded { retry_after }
        );
    }
    scene.now = START + WINDOW;
    assert_eq!(scene.present(&lost), Verdict::Reuse(Evidence::Ancestor));
    assert_eq!(scene.present(&sibling), Verdict::Reuse(Evidence::Sibling));
}

#[test]
fn line_6_a_request_that_was_overtaken_by_the_head_is_late_and_no_reuse() {
    let mut scene = Scene::new();
    scene.rules.ring = 1;
    let (old, _) = scene.advance(100);
    scene.advance(100 + WINDOW);
    scene.now -= 1;
    assert_eq!(
        scene.present(&old),
        Verdict::Superseded {
            retry_after: secs(WINDOW)
        },
        "it arrived before the head did, on a slow server, and has left the ring since"
    );
    scene.now += 1;
    assert_eq!(scene.present(&old), Verdict::Reuse(Evidence::Ancestor));
}

#[test]
fn line_6_no_sibling_of_the_head_is_excused_by_a_slow_server() {
    let mut scene = Scene::new();
    scene.advance(100);
    scene.now -= 1;
    let sibling = scene.token(1, 0x99);
    assert_eq!(scene.present(&sibling), Verdict::Reuse(Evidence::Sibling));
}

#[test]
fn line_7_a_token_ahead_of_the_row_is_adopted_and_history_is_unknown() {
    let scene = Scene::new();
    let ahead = scene.ahead_by(2);
    let Verdict::Ahead(step) = scene.present(&ahead) else {
        panic!("two generations ahead means that the store lost a write");
    };
    assert_eq!(step.expected, scene.row.head.id);
    assert_eq!((step.head.id, step.head.generation), (ahead.id, 2));
    assert_eq!(step.history_unknown_until, Some(Timestamp(START + WINDOW)));
    assert_eq!(step.successor.parent, ahead.id);
}

#[test]
fn line_7_the_parent_of_an_adopted_token_is_retired_at_that_moment() {
    let mut scene = Scene::new();
    let duplicate = scene.ahead_by(3);
    let parent = scene.ahead_by(4);
    let held = Content {
        parent: parent.id,
        ..scene.ahead_by(5)
    };
    scene.take(scene.present(&duplicate));
    scene.now = START + WINDOW + 5;
    scene.take(scene.present(&held));
    scene.now += 1;
    assert_eq!(
        scene.present(&parent),
        Verdict::Superseded {
            retry_after: secs(WINDOW - 1)
        },
        "its successor was first presented a second ago, so a duplicate of it is merely late"
    );
}

#[test]
fn line_7_the_mark_is_not_extended_while_set_and_not_set_again_for_a_day() {
    let mut scene = Scene::new();
    let mark = Some(Timestamp(START + WINDOW));
    for (generations, now, expected) in [
        (2, START, mark),
        (4, START + 59, mark),
        (6, START + 1000, mark),
        (8, START + DAY - 1, mark),
        (10, START + DAY, Some(Timestamp(START + DAY + WINDOW))),
    ] {
        scene.now = now;
        let ahead = scene.token(generations, 10 + u8::try_from(generations).unwrap());
        scene.take(scene.present(&ahead));
        assert_eq!(scene.row.history_unknown_until, expected, "at {now}");
    }
}

#[test]
fn impossible_no_loss_explains_a_million_generations() {
    let scene = Scene::new();
    let nearly = scene.token((1 << 20) - 1, 2);
    assert!(matches!(scene.present(&nearly), Verdict::Ahead(_)));
    assert_eq!(scene.present(&scene.token(1 << 20, 2)), Verdict::Impossible);
}

#[test]
fn impossible_the_last_generation_has_no_successor() {
    let mut scene = Scene::new();
    scene.row.head.generation = u32::MAX - 1;
    let head = scene.row.head.id;
    let last = Content {
        parent: head,
        ..scene.token(u32::MAX, 1)
    };
    assert_eq!(scene.present(&last), Verdict::Impossible);
    scene.row.head.generation = u32::MAX;
    scene.row.head.id = last.id;
    assert_eq!(scene.present(&last), Verdict::Impossible);
}

#[test]
fn line_8_an_ancestor_past_the_window_is_reuse() {
    let mut scene = Scene::new();
    let (old, _) = scene.advance(100);
    scene.now = START + 100 + WINDOW;
    assert_eq!(scene.present(&old), Verdict::Reuse(Evidence::Ancestor));
}

#[test]
fn line_8_an_ancestor_that_left_the_ring_is_still_reuse() {
    let mut scene = Scene::new();
    scene.rules.ring = 1;
    let (old, _) = scene.advance(100);
    scene.advance(200);
    scene.now = START + 201;
    assert_eq!(scene.present(&old), Verdict::Reuse(Evidence::Ancestor));
}

#[test]
fn line_8_a_sibling_of_the_head_is_reuse_at_once() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let mine = granted(scene.present(&first));
    scene.fresh = TokenId([0xbb; 8]);
    let copied = granted(scene.present(&first));
    scene.take(scene.present(&mine));
    assert_eq!(scene.present(&copied), Verdict::Reuse(Evidence::Sibling));
}

#[test]
fn line_8_the_child_of_a_sibling_is_reuse_at_once() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let mine = granted(scene.present(&first));
    scene.fresh = TokenId([0xbb; 8]);
    let copied = granted(scene.present(&first));
    let grandchild = granted(scene.present(&copied));
    scene.take(scene.present(&mine));
    assert_eq!(
        scene.present(&grandchild),
        Verdict::Reuse(Evidence::Sibling)
    );
}

#[test]
fn claims_an_unclaimed_use_of_the_head_is_reported_and_by_policy_revoked() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    let child = granted(scene.present(&first));
    let (mine, thiefs) = (key(1).hash(), key(2).hash());
    for (uses, claims, reported) in [
        (vec![mine], Some(vec![mine]), false),
        (vec![], Some(vec![mine]), false),
        (vec![mine, thiefs], Some(vec![mine]), true),
        (vec![mine, KeyHash::NONE], Some(vec![mine]), true),
        (vec![thiefs], Some(vec![]), true),
        (vec![mine, thiefs], None, false),
    ] {
        scene.row.head.uses.clone_from(&uses);
        scene.claims.clone_from(&claims);
        scene.rules.revoke_on_parallel_use = false;
        let step = advance(scene.present(&child));
        assert_eq!(step.parallel_use, reported, "{uses:?} {claims:?}");
        scene.rules.revoke_on_parallel_use = true;
        let revoked = scene.present(&child) == Verdict::Reuse(Evidence::ParallelUse);
        assert_eq!(revoked, reported, "{uses:?} {claims:?}");
    }
}

#[test]
fn idempotency_the_same_token_and_key_get_the_same_successor() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    scene.key = Some(key(1));
    let before = granted(scene.present(&first));
    scene.now += 3600;
    scene.fresh = TokenId([0xcc; 8]);
    let retried = granted(scene.present(&first));
    assert_eq!(retried.id, before.id);
    assert_eq!(retried.made_by, key(1).hash());
    scene.key = Some(key(2));
    assert_ne!(granted(scene.present(&first)).id, before.id);
}

#[test]
fn idempotency_the_same_key_gets_another_successor_of_another_token_or_row() {
    let mut scene = Scene::new();
    let first = scene.row.first_token();
    scene.key = Some(key(1));
    let before = granted(scene.present(&first)).id;
    scene.row.secret = RowSecret([8; 16]);
    assert_ne!(
        granted(scene.present(&first)).id,
        before,
        "it is derived with the secret of the row"
    );
    scene.row.secret = Scene::new().row.secret;
    scene.row.head.id = TokenId([9; 8]);
    assert_ne!(granted(scene.present(&scene.row.first_token())).id, before);
}

#[test]
fn idempotency_a_constant_key_is_ignored_so_that_two_holders_cannot_converge() {
    let mut scene = Scene::new();
    scene.key = Some(key(1));
    let child = granted(scene.present(&scene.row.first_token()));
    let successors = [0xd1, 0xd2].map(|fresh| {
        scene.fresh = TokenId([fresh; 8]);
        let step = advance(scene.present(&child));
        assert_eq!(step.head.uses, [], "an ignored key is no use to claim");
        step.successor
    });
    assert_ne!(successors[0].id, successors[1].id);
    assert_eq!(successors[0].made_by, KeyHash::NONE);
}

#[test]
fn clamp_a_clock_that_went_back_neither_lengthens_the_window_nor_dates_a_step_back() {
    let mut scene = Scene::new();
    let (old, newest) = scene.advance(100);
    scene.now = START - 500;
    assert_eq!(
        scene.present(&old),
        Verdict::Superseded {
            retry_after: secs(WINDOW)
        },
        "not longer than the window"
    );
    let step = advance(scene.present(&newest));
    assert_eq!(step.head.since, Timestamp(START + 100));
    assert_eq!(step.ring.last().unwrap().at, Timestamp(START + 100));
    assert_eq!(step.successor.issued_at, Timestamp(START + 100));
}

#[test]
fn policy_strict_retires_at_issue_so_a_second_presentation_is_reuse() {
    let mut scene = Scene::new();
    scene.rules = Rules::new(Policy::Strict, secs(900));
    let first = scene.row.first_token();
    let step = advance(scene.present(&first));
    assert_eq!(step.expected, first.id);
    assert_eq!(step.head.id, step.successor.id);
    assert_eq!(step.head.generation, 1);
    let successor = step.successor.clone();
    scene.take(Verdict::Advance(step));
    assert_eq!(scene.present(&first), Verdict::Reuse(Evidence::Ancestor));
    assert!(matches!(scene.present(&successor), Verdict::Advance(_)));
}

#[test]
fn policy_none_gives_the_same_token_again_and_only_the_idle_clock_starts_anew() {
    let mut scene = Scene::new();
    scene.rules = Rules::new(Policy::None, secs(900));
    let first = scene.row.first_token();
    scene.now += 100;
    let step = advance(scene.present(&first));
    assert_eq!(
        step.successor,
        Content {
            issued_at: Timestamp(START + 100),
            ..first.clone()
        }
    );
    assert_eq!(
        step.head,
        Head {
            since: Timestamp(START + 100),
            ..scene.row.head.clone()
        }
    );
    assert_eq!(step.ring, []);
}

/// One row, and the circumstances in which its tokens are presented.
struct Scene {
    row: Row,
    keys: MacKeys,
    rules: Rules,
    now: u64,
    fresh: TokenId,
    client: Option<ClientId>,
    key: Option<IdempotencyKey>,
    claims: Option<Vec<KeyHash>>,
    clock: Clock,
    cut: Option<Cut>,
}

impl Scene {
    fn new() -> Self {
        let grant = Grant {
            subject: Subject::new("ana"),
            client: ClientId::new("app"),
            scope: Scope::parse("openid offline_access"),
            audience: Vec::new(),
            auth_time: Timestamp(START),
        };
        Self {
            row: Row::new(
                LineageId::new(Timestamp(START), [7; 10]),
                RowSecret([5; 16]),
                TokenId([1; 8]),
                grant,
                (secs(IDLE), secs(ABSOLUTE)),
                Timestamp(START),
            ),
            keys: MacKeys::new(MacKey::new(&[3; 32]), vec![], vec![]),
            rules: Rules::new(Policy::RetireOnUse, secs(900)),
            now: START,
            fresh: TokenId([0xaa; 8]),
            client: Some(ClientId::new("app")),
            key: None,
            claims: None,
            clock: Clock::Trusted,
            cut: None,
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            client: self.client.as_ref(),
            key: self.key.as_ref(),
            claims: self.claims.as_deref(),
            fresh: self.fresh,
            now: Timestamp(self.now),
            clock: self.clock,
            cut: self.cut,
        }
    }

    fn read(&self, content: &Content) -> tenure_core::lineage::Token {
        let text = self.keys.write(content, &self.row.secret);
        self.keys.read(text.expose()).unwrap()
    }

    fn present(&self, content: &Content) -> Verdict {
        let token = self.read(content);
        decide(Ok(&token), Some(&self.row), &self.asked(), &self.rules)
    }

    /// Carries out the write of a verdict.
    fn take(&mut self, verdict: Verdict) {
        let (Verdict::Advance(step) | Verdict::Ahead(step)) = verdict else {
            panic!("nothing to write in {verdict:?}");
        };
        self.row.head = step.head;
        self.row.ring = step.ring;
        self.row.history_unknown_until = step.history_unknown_until;
    }

    /// One refresh `after` the start whose answer is used: the old head, and the newest token.
    fn advance(&mut self, after: u64) -> (Content, Content) {
        self.now = START + after;
        let old = Content {
            generation: self.row.head.generation,
            id: self.row.head.id,
            ..self.row.first_token()
        };
        let number = self.row.head.generation.to_be_bytes()[3] + 0x40;
        let child = Content {
            parent: old.id,
            issued_at: Timestamp(self.now),
            ..self.token(old.generation + 1, number)
        };
        let step = advance(self.present(&child));
        let newest = step.successor.clone();
        self.take(Verdict::Advance(step));
        (old, newest)
    }

    /// A token of the client's whose predecessors the store lost.
    fn ahead_by(&self, generations: u32) -> Content {
        let number = 0x80 + generations.to_be_bytes()[3];
        self.token(self.row.head.generation + generations, number)
    }

    fn token(&self, generation: u32, id: u8) -> Content {
        Content {
            generation,
            id: TokenId([id; 8]),
            parent: TokenId([0x70; 8]),
            ..self.row.first_token()
        }
    }
}

fn granted(verdict: Verdict) -> Content {
    match verdict {
        Verdict::Again { successor, .. } => successor,
        Verdict::Advance(step) | Verdict::Ahead(step) => step.successor,
        refused => panic!("{refused:?}"),
    }
}

fn advance(verdict: Verdict) -> Step {
    match verdict {
        Verdict::Advance(step) => step,
        other => panic!("{other:?}"),
    }
}

fn noted(verdict: &Verdict) -> Option<KeyHash> {
    match verdict {
        Verdict::Again { note, .. } => *note,
        other => panic!("{other:?}"),
    }
}

fn key(number: usize) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("key-of-an-attempt-{number:08}")).unwrap()
}

fn revoked(cause: EndCause) -> Revocation {
    Revocation {
        at: Timestamp(START),
        cause,
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
