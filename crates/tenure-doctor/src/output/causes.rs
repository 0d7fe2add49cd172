//! All causes: the list, and the document.

use super::page;
use crate::cause::{Cause, Family};

/// One line for each cause: id, title.
pub fn list<'a>(causes: impl Iterator<Item = &'a Cause>) -> String {
    causes
        .map(|cause| format!("{}  {}\n", cause.id, cause.title))
        .collect()
}

/// The document with the page of every cause, by family: `docs/causes.md`.
pub fn pages(families: &[Family]) -> String {
    let mut text = "# Causes\n\n\
        What `tenure doctor` knows, written from its data by `tenure doctor explain --all --markdown`.\n"
        .to_owned();
    let known = families.iter().filter(|family| !family.causes.is_empty());
    for family in known {
        text.push_str(&format!("\n## {}\n", family.title));
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
    page.lines()
        .map(|line| {
            let deeper = if line.starts_with('#') { "##" } else { "" };
            format!("{deeper}{line}\n")
        })
        .collect()
}
