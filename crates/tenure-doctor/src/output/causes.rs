//! All causes: the list, and the document.

use super::page;
use crate::cause::{Cause, Family};

/// One line for each cause: id, title.
pub fn list<'a>(causes: impl Iterator<Item = &'a Cause>) -> String {
    let lines = causes.flat_map(|cause| [cause.id, "  ", cause.title, "\n"]);
    lines.collect()
}

/// The document with the page of every cause, by family: `docs/causes.md`.
pub fn pages(families: &[Family]) -> String {
    let mut text = "# Causes\n\n\
        What `tenure doctor` knows, written from its data by `tenure doctor explain --all --markdown`.\n"
        .to_owned();
    let known = families.iter().filter(|family| !family.causes.is_empty());
    for family in known {
        text.extend(["\n## ", family.title, "\n"]);
        for cause in family.causes {
            text.push('\n');
            text.push_str(&below(&page(cause)));
        }
    }
    if families.iter().all(|family| family.causes.is_empty()) {
        text.push_str("\nNone yet.\n");
    }
    text
}

/// A page two levels further down.
fn below(page: &str) -> String {
    let lines = page.lines().flat_map(|line| {
        let deeper = if line.starts_with('#') { "##" } else { "" };
        [deeper, line, "\n"]
    });
    lines.collect()
}
