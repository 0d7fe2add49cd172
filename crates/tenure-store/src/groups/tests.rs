use std::sync::Arc;

use parking_lot::Mutex;
use tenure_core::lineage::Step;
use tokio::sync::Semaphore;

use super::{Carrier, Groups, Judged, Presentation};
use crate::conformance::{lineage, session};
use crate::{Judge, Loaded, Transition, Written};

/// Answers every group once it is let through, and remembers how large they were.
#[derive(Debug)]
struct Gate {
    open: Arc<Semaphore>,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl Carrier for Gate {
    async fn carry_out(&self, group: Vec<Presentation>) {
        self.open.acquire().await.unwrap().forget();
        self.sizes.lock().push(group.len());
        for presentation in group {
            presentation.answer(Ok(Written::Now));
        }
    }
}

fn nothing() -> Judge {
    Arc::new(|_| None)
}

#[tokio::test]
async fn what_arrives_while_a_group_is_under_way_is_the_next_group() {
    let open = Arc::new(Semaphore::new(0));
    let sizes = Arc::default();
    let gate = Gate {
        open: Arc::clone(&open),
        sizes: Arc::clone(&sizes),
    };
    let groups = Arc::new(Groups::new(gate, 1));
    let present = |n| {
        let groups = Arc::clone(&groups);
        tokio::spawn(async move { groups.present(lineage(n), nothing()).await })
    };
    let all: Vec<_> = (0..20).map(present).collect();
    tokio::task::yield_now().await;
    open.add_permits(100);
    for one in all {
        assert_eq!(one.await.unwrap(), Ok(Written::Now));
    }
    let sizes = sizes.lock().clone();
    assert_eq!(sizes.iter().sum::<usize>(), 20);
    assert!(sizes.len() <= 2, "{sizes:?}");
}

#[tokio::test]
async fn a_group_that_panics_leaves_room_for_the_next() {
    #[derive(Debug)]
    struct Faulty(Mutex<bool>);

    impl Carrier for Faulty {
        async fn carry_out(&self, group: Vec<Presentation>) {
            let first = !std::mem::replace(&mut *self.0.lock(), true);
            assert!(!first, "on purpose");
            for presentation in group {
                presentation.answer(Ok(Written::Now));
            }
        }
    }

    let groups = Groups::new(Faulty(Mutex::new(false)), 1);
    assert!(groups.present(lineage(1), nothing()).await.is_err());
    let written = groups.present(lineage(1), nothing()).await;
    assert_eq!(written, Ok(Written::Now));
}

/// Nobody comes after them who would start another group.
#[tokio::test]
async fn those_that_wait_while_a_group_panics_are_carried_on() {
    #[derive(Debug)]
    struct FaultyOnce(Arc<Semaphore>, Mutex<bool>);

    impl Carrier for FaultyOnce {
        async fn carry_out(&self, group: Vec<Presentation>) {
            self.0.acquire().await.unwrap().forget();
            let first = !std::mem::replace(&mut *self.1.lock(), true);
            assert!(!first, "on purpose");
            for presentation in group {
                presentation.answer(Ok(Written::Now));
            }
        }
    }

    let open = Arc::new(Semaphore::new(0));
    let carrier = FaultyOnce(Arc::clone(&open), Mutex::new(false));
    let groups = Arc::new(Groups::new(carrier, 1));
    let present = |n| {
        let groups = Arc::clone(&groups);
        tokio::spawn(async move { groups.present(lineage(n), nothing()).await })
    };
    let first = present(1);
    tokio::task::yield_now().await;
    // The first group is taken, and waits at the gate.
    tokio::task::yield_now().await;
    let waiting = present(2);
    tokio::task::yield_now().await;
    open.add_permits(2);
    assert!(first.await.unwrap().is_err());
    assert_eq!(waiting.await.unwrap(), Ok(Written::Now));
}

#[tokio::test]
async fn of_two_that_write_one_session_the_second_is_judged_again_alone() {
    #[derive(Debug)]
    struct Counting(Arc<Mutex<(usize, usize)>>);

    impl Carrier for Counting {
        async fn carry_out(&self, group: Vec<Presentation>) {
            let row = session(1);
            let loaded = Loaded { row, cut: None };
            let rows = [(lineage(1), Ok(loaded))].into();
            let Judged { steps, alone } = Judged::of(group, rows);
            let mut counted = self.0.lock();
            counted.0 += steps.len();
            counted.1 += alone.len();
            let all = steps.into_iter().map(|(_, one)| one).chain(alone);
            all.for_each(|one| one.answer(Ok(Written::Now)));
        }
    }

    let counted = Arc::default();
    let groups = Groups::new(Counting(Arc::clone(&counted)), 1);
    let judge: Judge = Arc::new(|loaded| {
        let row = loaded?.row;
        Some(Transition::Advance(Step {
            expected: row.head.id,
            head: row.head.clone(),
            ring: Vec::new(),
            history_unknown_until: None,
            successor: row.first_token(),
            parallel_use: false,
        }))
    });
    let (first, second) = tokio::join!(
        groups.present(lineage(1), Arc::clone(&judge)),
        groups.present(lineage(1), judge)
    );
    assert_eq!((first, second), (Ok(Written::Now), Ok(Written::Now)));
    assert_eq!(*counted.lock(), (1, 1));
}
