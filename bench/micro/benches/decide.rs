//! The rule, on a row whose ring is full: the head again, its child, and an ancestor.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tenure_core::id::ClientId;
use tenure_core::lineage::{
    Asked, Clock, Content, Evidence, MacKey, MacKeys, Policy, RING, Row, Rules, Step, Token,
    TokenId, Verdict, decide,
};
use tenure_store::conformance::{START, session};

/// Longer than any late window, so that every round advances.
const ROUND: Duration = Duration::from_mins(2);

fn verdicts(bench: &mut Criterion) {
    let lineage = Lineage::grown(RING + 4);
    let mut group = bench.benchmark_group("decide");
    group.bench_function("again", |bench| {
        bench.iter(|| {
            let verdict = lineage.present(&lineage.head);
            assert!(matches!(verdict, Verdict::Again { .. }), "{verdict:?}");
            verdict
        });
    });
    group.bench_function("advance", |bench| {
        bench.iter(|| {
            let verdict = lineage.present(&lineage.child);
            assert!(matches!(verdict, Verdict::Advance(_)), "{verdict:?}");
            verdict
        });
    });
    group.bench_function("reuse", |bench| {
        bench.iter(|| {
            let verdict = lineage.present(&lineage.first);
            assert_eq!(verdict, Verdict::Reuse(Evidence::Ancestor));
            verdict
        });
    });
    group.finish();
}

/// A session after many refreshes, and tokens of it.
struct Lineage {
    keys: MacKeys,
    row: Row,
    client: ClientId,
    rules: Rules,
    refreshes: u32,
    first: Token,
    head: Token,
    child: Token,
}

impl Lineage {
    fn grown(refreshes: usize) -> Self {
        let keys = MacKeys::new(MacKey::new(&[3; 32]), Vec::new(), Vec::new());
        let row = session(1);
        let first = token(&keys, &row, &row.first_token());
        let mut lineage = Self {
            client: row.grant.client.clone(),
            rules: Rules::new(Policy::RetireOnUse, Duration::from_mins(5)),
            refreshes: 0,
            head: first.clone(),
            child: first.clone(),
            first,
            keys,
            row,
        };
        lineage.child = lineage.successor_of_head();
        for _ in 0..refreshes {
            lineage.advance();
        }
        assert_eq!(lineage.row.ring.len(), RING, "the ring is not full");
        lineage
    }

    fn advance(&mut self) {
        let verdict = self.present(&self.child);
        let Verdict::Advance(Step { head, ring, .. }) = verdict else {
            panic!("{verdict:?}");
        };
        (self.row.head, self.row.ring) = (head, ring);
        self.head = self.child.clone();
        self.refreshes += 1;
        self.child = self.successor_of_head();
    }

    fn successor_of_head(&self) -> Token {
        let verdict = self.present(&self.head);
        let Verdict::Again { successor, .. } = verdict else {
            panic!("{verdict:?}");
        };
        token(&self.keys, &self.row, &successor)
    }

    fn present(&self, token: &Token) -> Verdict {
        let asked = Asked {
            client: Some(&self.client),
            key: None,
            claims: None,
            fresh: TokenId(u64::from(self.refreshes + 1).to_be_bytes()),
            now: START + ROUND * (self.refreshes + 1),
            clock: Clock::Trusted,
            cut: None,
        };
        decide(
            Ok(black_box(token)),
            Some(black_box(&self.row)),
            &asked,
            &self.rules,
        )
    }
}

fn token(keys: &MacKeys, row: &Row, content: &Content) -> Token {
    let text = keys.write(content, &row.secret);
    keys.read(text.expose())
        .unwrap_or_else(|error| panic!("{error:?}"))
}

criterion_group!(benches, verdicts);
criterion_main!(benches);
