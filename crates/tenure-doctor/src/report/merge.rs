//! Several looks at one incident, as one.

use crate::Evidence;

/// Puts what several runs of the doctor saw together, in the order of their times; what two of them saw
/// alike is there once. The latest moment is the whole's.
pub fn merge(all: impl IntoIterator<Item = Evidence>) -> Evidence {
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|evidence| evidence.now);
    let mut whole = Evidence::default();
    for evidence in all {
        whole.now = evidence.now;
        add(&mut whole.exchanges, evidence.exchanges);
        add(&mut whole.tokens, evidence.tokens);
        add(&mut whole.keys, evidence.keys);
        add(&mut whole.beliefs, evidence.beliefs);
        add(&mut whole.logs.files, evidence.logs.files);
        add(&mut whole.logs.findings, evidence.logs.findings);
        add(&mut whole.logs.timeline, evidence.logs.timeline);
        add(&mut whole.deployment, evidence.deployment);
        add(&mut whole.unread, evidence.unread);
    }
    whole.logs.timeline.sort_by_key(|event| event.at_ms);
    whole
}

fn add<T: PartialEq>(whole: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !whole.contains(&item) {
            whole.push(item);
        }
    }
}
