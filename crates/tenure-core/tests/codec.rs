//! The refresh token's codec: what was written is read, and nothing else is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use tenure_core::id::{ClientId, LineageId, Subject};
use tenure_core::lineage::{
    Content, Grant, IdempotencyKey, KeyHash, MacKey, MacKeys, Row, RowSecret, TOKEN_LENGTH,
    TokenId, Unreadable,
};
use tenure_core::scope::Scope;
use tenure_core::time::Timestamp;

const SECRET: RowSecret = RowSecret([0x5a; 16]);

proptest! {
    #[test]
    fn what_was_written_is_read(content in contents(), mac in any::<[u8; 32]>(), secret in any::<[u8; 16]>()) {
        let keys = MacKeys::new(MacKey::new(&mac), vec![], vec![]);
        let text = keys.write(&content, &RowSecret(secret));
        prop_assert_eq!(text.expose().len(), TOKEN_LENGTH);
        let token = keys.read(text.expose()).unwrap();
        prop_assert_eq!(token.content(), &content);
        prop_assert!(token.is_sealed_by(&RowSecret(secret)));
    }

    #[test]
    fn text_that_was_not_written_is_garbage(text in "\\PC{0,120}") {
        prop_assert_eq!(keys().read(&text), Err(Unreadable::Garbage));
    }

    #[test]
    fn right_shape_and_checksum_without_a_known_key_is_not_read(body in "[A-Za-z0-9_-]{96}") {
        let text = with_checksum(&format!("tnr1_{body}"));
        prop_assert!(keys().read(&text).is_err());
    }
}

#[test]
fn every_single_flipped_bit_is_refused() {
    let text = token().into_bytes();
    for (position, bit) in (0..text.len()).flat_map(|p| (0..8).map(move |bit| (p, bit))) {
        let mut flipped = text.clone();
        flipped[position] ^= 1 << bit;
        // A byte above 127 is no UTF-8, which the type of `read` refuses.
        let Ok(flipped) = String::from_utf8(flipped) else {
            continue;
        };
        let read = keys().read(&flipped);
        assert_eq!(
            read,
            Err(Unreadable::Garbage),
            "bit {bit} of byte {position}"
        );
    }
}

#[test]
fn every_flipped_bit_with_a_matching_checksum_is_refused_by_tag_or_key() {
    let text = token();
    let (body, _) = text.split_at(TOKEN_LENGTH - 6);
    for (position, bit) in (5..body.len()).flat_map(|p| (0..7).map(move |bit| (p, bit))) {
        let mut flipped = body.as_bytes().to_vec();
        flipped[position] ^= 1 << bit;
        let flipped = with_checksum(&String::from_utf8(flipped).unwrap());
        assert!(
            keys().read(&flipped).is_err(),
            "bit {bit} of byte {position}"
        );
    }
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let text = token();
    for length in 0..text.len() {
        assert_eq!(keys().read(&text[..length]), Err(Unreadable::Garbage));
        if length != TOKEN_LENGTH - 6 {
            let resealed = with_checksum(&text[..length]);
            assert_eq!(keys().read(&resealed), Err(Unreadable::Garbage));
        }
    }
    for tail in ["=", "A", " ", "\0", "\n", "AAAA"] {
        assert_eq!(
            keys().read(&format!("{text}{tail}")),
            Err(Unreadable::Garbage)
        );
        assert_eq!(
            keys().read(&format!("{tail}{text}")),
            Err(Unreadable::Garbage)
        );
    }
}

#[test]
fn multi_byte_characters_at_the_right_length_are_garbage_and_no_panic() {
    for (character, count) in [("é", 53), ("語", 35), ("🦀", 26)] {
        let mut text = character.repeat(count);
        while text.len() < TOKEN_LENGTH {
            text.push('a');
        }
        assert_eq!(text.len(), TOKEN_LENGTH);
        assert_eq!(keys().read(&text), Err(Unreadable::Garbage));
    }
}

#[test]
fn a_wrong_checksum_is_refused_before_any_key_is_looked_up() {
    let text = foreign().write(&content(), &SECRET);
    let (body, _) = text.expose().split_at(TOKEN_LENGTH - 6);
    let wrong = format!("{body}AAAAAA");
    assert_ne!(wrong, text.expose());
    assert_eq!(
        keys().read(&wrong),
        Err(Unreadable::Garbage),
        "a mistyped foreign token must not raise the alarm of a missing key"
    );
}

#[test]
fn a_foreign_key_is_a_missing_key_and_names_it() {
    let text = foreign().write(&content(), &SECRET);
    assert_eq!(
        keys().read(text.expose()),
        Err(Unreadable::MissingKey(MacKey::new(&[2; 32]).id()))
    );
}

#[test]
fn a_retired_key_is_told_from_a_missing_one_even_where_it_is_still_at_hand() {
    let retired = MacKey::new(&[2; 32]);
    let text = foreign().write(&content(), &SECRET);
    let listed = MacKeys::new(MacKey::new(&[1; 32]), vec![], vec![retired.id()]);
    assert_eq!(listed.read(text.expose()), Err(Unreadable::RetiredKey));
    let kept = MacKeys::new(
        MacKey::new(&[1; 32]),
        vec![retired.clone()],
        vec![retired.id()],
    );
    assert_eq!(kept.read(text.expose()), Err(Unreadable::RetiredKey));
}

#[test]
fn a_key_that_only_reads_accepts_what_it_tagged_as_the_writing_key() {
    let rotated = MacKeys::new(MacKey::new(&[2; 32]), vec![MacKey::new(&[1; 32])], vec![]);
    let before = keys().write(&content(), &SECRET);
    assert_eq!(rotated.read(before.expose()).unwrap().content(), &content());
    let after = rotated.write(&content(), &SECRET);
    assert!(matches!(
        keys().read(after.expose()),
        Err(Unreadable::MissingKey(_))
    ));
}

#[test]
fn a_seal_of_another_row_is_told() {
    let text = keys().write(&content(), &RowSecret([1; 16]));
    let token = keys().read(text.expose()).unwrap();
    assert!(token.is_sealed_by(&RowSecret([1; 16])));
    assert!(!token.is_sealed_by(&SECRET));
}

#[test]
fn a_time_beyond_32_bits_is_written_as_the_latest_and_not_wrapped() {
    let late = Content {
        issued_at: Timestamp(u64::from(u32::MAX) + 5),
        ..content()
    };
    let text = keys().write(&late, &SECRET);
    let token = keys().read(text.expose()).unwrap();
    assert_eq!(token.content().issued_at, Timestamp(u64::from(u32::MAX)));
}

#[test]
fn debug_of_keys_rows_and_tokens_reveals_no_secret() {
    let row = Row::new(
        content().lineage,
        SECRET,
        TokenId([1; 8]),
        Grant {
            subject: Subject::new("ana"),
            client: ClientId::new("app"),
            scope: Scope::default(),
            audience: vec![],
            auth_time: Timestamp(0),
        },
        Default::default(),
        Timestamp(0),
    );
    let idempotency = IdempotencyKey::parse("0123456789abcdefghijkl").unwrap();
    let written = keys().write(&content(), &SECRET);
    let token = keys().read(written.expose()).unwrap();
    let printed = format!(
        "{:?} {:?} {:?} {row:?} {idempotency:?} {written:?} {token:?}",
        MacKey::new(&[0x5a; 32]),
        MacKeys::new(
            MacKey::new(&[0x5a; 32]),
            vec![MacKey::new(&[0x5a; 32])],
            vec![]
        ),
        SECRET,
    );
    // 0x5a is 90 in a list of bytes, "5a" in hexadecimal and "Wlpa" in base64.
    for trace in ["90, 90", "5a5a", "5A5A", "Wlpa", "ZZZZ", "0123456789abcdef"] {
        assert!(!printed.contains(trace), "{trace} in {printed}");
    }
    assert!(!printed.contains(&written.expose()[20..30]));
    let binary = URL_SAFE_NO_PAD.decode(&written.expose()[5..101]).unwrap();
    let (_, seal_and_tag) = binary.split_at(48);
    for pair in seal_and_tag.windows(2) {
        let trace = format!("{}, {}", pair[0], pair[1]);
        assert!(!printed.contains(&trace), "{trace} in {printed}");
    }
}

fn keys() -> MacKeys {
    MacKeys::new(MacKey::new(&[1; 32]), vec![], vec![])
}

fn foreign() -> MacKeys {
    MacKeys::new(MacKey::new(&[2; 32]), vec![], vec![])
}

fn token() -> String {
    keys().write(&content(), &SECRET).expose().to_owned()
}

fn with_checksum(body: &str) -> String {
    let checksum = crc32fast::hash(body.as_bytes()).to_be_bytes();
    let checksum = URL_SAFE_NO_PAD.encode(checksum);
    format!("{body}{checksum}")
}

fn content() -> Content {
    Content {
        lineage: LineageId::new(Timestamp(1_000_000), [7; 10]),
        generation: 41,
        id: TokenId([3; 8]),
        parent: TokenId([4; 8]),
        issued_at: Timestamp(1_000_500),
        made_by: KeyHash::of(b"some key"),
    }
}

fn contents() -> impl Strategy<Value = Content> {
    (
        any::<[u8; 10]>(),
        any::<u32>(),
        any::<[u8; 8]>(),
        any::<[u8; 8]>(),
        any::<u32>(),
        any::<[u8; 4]>(),
    )
        .prop_map(|(random, generation, id, parent, issued_at, made_by)| {
            let issued_at = Timestamp(u64::from(issued_at));
            Content {
                lineage: LineageId::new(issued_at, random),
                generation,
                id: TokenId(id),
                parent: TokenId(parent),
                issued_at,
                made_by: KeyHash::from_be_bytes(made_by),
            }
        })
}
