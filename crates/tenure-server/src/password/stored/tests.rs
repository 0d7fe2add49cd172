use tenure_core::secret::Secret;

use super::StoredHash;

/// Of "correct horse", each made by another program: the argon2 tool, libcrypt, Python's hashlib.
const FOREIGN: [(&str, &str); 8] = [
    (
        "argon2id, weaker",
        "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0$otnZMF7gn3T/mBjwQNsF2/BkISQse8/VHNX8NziXT1c",
    ),
    (
        "argon2i",
        "$argon2i$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0$tb8GZ01DSO8uH+uuS6ojvFXzXXSgJMK3irYqKUPVqaI",
    ),
    (
        "bcrypt 2b",
        "$2b$04$KBCwKxOzLha2MUDgW0PjXexGfB5dmDvvvgEVjeeXiTo87i0yXWYau",
    ),
    (
        "bcrypt 2y",
        "$2y$04$KBCwKxOzLha2MUDgW0PjXexGfB5dmDvvvgEVjeeXiTo87i0yXWYau",
    ),
    (
        "Django",
        "pbkdf2_sha256$1000$saltsalt$qQDPSZa3Ormyy9oK1Pu0ZLLwP2Svzmx3yu8OvDdq/J0=",
    ),
    (
        "PHC",
        "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
    ),
    (
        "PHC with SHA-512",
        "$pbkdf2-sha512$i=1000$c2FsdHNhbHRzYWx0c2FsdA$EHLBej+uEvxlmr0QnHnceg1vM6h1wbwSP5XErh3SmizNDWZsIi28RPGARe0EssjGRoiACzxgHjNvqwJY1zxKig",
    ),
    (
        "passlib",
        "$pbkdf2-sha256$1000$.//.c2FsdHNhbHRzYWx0IQ$ovCse8BNyv9wQDIZoaDF/61m9xKCU.cmdV/7Lv.G2PA",
    ),
];

#[test]
fn hashes_of_other_systems_match_their_password_only_and_are_outdated() {
    for (kind, hash) in FOREIGN {
        let stored = StoredHash::parse(hash).unwrap_or_else(|why| panic!("{kind} {why}"));
        assert!(stored.is_of(&Secret::new("correct horse")), "{kind}");
        assert!(!stored.is_of(&Secret::new("correct Horse")), "{kind}");
        assert!(!stored.is_of(&Secret::new("")), "{kind}");
        assert!(!stored.is_current(), "{kind}");
    }
}

#[test]
fn nobodys_hash_costs_what_a_new_one_does_and_has_no_password() {
    let nobody = StoredHash::nobody();
    assert!(matches!(nobody, StoredHash::Argon2(_)));
    assert!(nobody.is_current());
    assert!(!nobody.is_of(&Secret::new("")));
}

#[test]
fn a_hash_that_would_stop_all_other_sign_ins_is_refused() {
    let refused = |hash: &str| StoredHash::parse(hash).err().unwrap_or("accepted");
    let salt_and_hash = "c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let costly = format!("$argon2id$v=19$m=1048576,t=2,p=1${salt_and_hash}");
    assert!(refused(&costly).starts_with("costs too much"));
    let costly = format!("$argon2id$v=19$m=1024,t=17,p=1${salt_and_hash}");
    assert!(refused(&costly).starts_with("costs too much"));
    let costly = "$2b$31$KBCwKxOzLha2MUDgW0PjXexGfB5dmDvvvgEVjeeXiTo87i0yXWYau";
    assert!(refused(costly).starts_with("has a bcrypt cost"));
    let costly = "pbkdf2_sha256$4000000000$saltsalt$qQDPSZa3Ormyy9oK1Pu0ZLLwP2Svzmx3yu8OvDdq/J0=";
    assert!(refused(costly).starts_with("costs too much"));
}

#[test]
fn garbage_is_refused_with_a_reason() {
    for garbage in [
        "",
        "password",
        "$argon2id$v=19$m=1024",
        "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0",
        "$2b$04$short",
        "$2b$xx$KBCwKxOzLha2MUDgW0PjXexGfB5dmDvvvgEVjeeXiTo87i0yXWYau",
        "pbkdf2_sha256$0$salt$qQDPSZa3Ormyy9oK1Pu0ZLLwP2Svzmx3yu8OvDdq/J0=",
        "pbkdf2_sha1$1000$salt$qQDPSZa3Ormyy9oK1Pu0ZLLwP2Svzmx3yu8OvDdq/J0=",
        "pbkdf2_sha256$1000$salt$AAAA",
        "pbkdf2_sha256$1000$salt",
        "$pbkdf2-sha256$i=1000$c2FsdA$not base64!",
    ] {
        assert!(StoredHash::parse(garbage).is_err(), "{garbage:?}");
    }
}
