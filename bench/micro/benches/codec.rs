//! The refresh token on the wire: written, read, and refused.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tenure_core::lineage::{MacKey, MacKeys, Token, Unreadable};
use tenure_store::conformance::session;

fn codec(bench: &mut Criterion) {
    let old = MacKey::new(&[1; 32]);
    let keys = MacKeys::new(MacKey::new(&[2; 32]), vec![old.clone()], Vec::new());
    let row = session(1);
    let content = row.first_token();
    let good = keys.write(&content, &row.secret);
    let under_old = MacKeys::new(old, Vec::new(), Vec::new()).write(&content, &row.secret);

    let mut group = bench.benchmark_group("codec");
    group.bench_function("write", |bench| {
        bench.iter(|| {
            let written = keys.write(black_box(&content), &row.secret);
            assert_eq!(written.expose(), good.expose());
            written
        });
    });
    for (name, token) in [("read", &good), ("read_under_the_former_key", &under_old)] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let read = keys.read(black_box(token.expose()));
                assert_eq!(read.as_ref().map(Token::content), Ok(&content));
                read
            });
        });
    }
    let strange = MacKey::new(&[9; 32]);
    let missing = Unreadable::MissingKey(strange.id());
    let strange = MacKeys::new(strange, Vec::new(), Vec::new()).write(&content, &row.secret);
    let swapped = if good.expose().ends_with('A') {
        "B"
    } else {
        "A"
    };
    let damaged = format!("{}{swapped}", &good.expose()[..good.expose().len() - 1]);
    let other = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";
    for (name, text, refusal) in [
        ("refuse_other_text", other, Unreadable::Garbage),
        ("refuse_damage", &damaged, Unreadable::Garbage),
        ("refuse_a_strange_key", strange.expose(), missing),
    ] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let read = keys.read(black_box(text));
                assert_eq!(read.as_ref().err(), Some(&refusal));
                read
            });
        });
    }
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
