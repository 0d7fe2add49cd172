//! Lines 1 to 3: what is refused before any rotation is thought of.

use tenure_core::id::ClientId;
use tenure_core::lineage::{
    Clock, Content, Cut, EndCause, MacKeyId, Policy, RowSecret, Unreadable, Verdict, decide,
};
use tenure_core::time::Timestamp;

use super::scene::{ABSOLUTE, DAY, IDLE, START, Scene, granted, revoked};

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
fn line_3_a_token_that_was_kept_for_long_is_as_fresh_as_its_use() {
    let mut scene = Scene::new();
    scene.advance(IDLE - DAY);
    scene.rules.policy = Policy::None;
    let head = Content {
        generation: 1,
        id: scene.row.head.id,
        ..scene.row.first_token()
    };
    scene.now = START + IDLE + DAY;
    assert!(
        matches!(scene.present(&head), Verdict::Advance(_)),
        "issued more than an idle limit ago, presented two days ago"
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
