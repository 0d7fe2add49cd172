//! The page of one cause.

use super::markdown::section;
use super::{command, layer};
use crate::cause::Cause;
use crate::sign::Sign;
use crate::weight::Strength;

/// In Markdown: what happens, how it is recognised, what to do. Written from the cause's data alone.
pub fn page(cause: &Cause) -> String {
    let mut lines = vec![
        format!("# {}: {}", cause.id, cause.title),
        format!("\nWhere: {}.\n\n{}", layer(cause.layer), cause.story),
    ];
    let means = |sign: &&'static Sign| sign.means.to_owned();
    let weighed = |(sign, _): &(&'static Sign, Strength)| means(sign);
    let together = |set: &&[&'static Sign]| {
        let all: Vec<_> = set.iter().map(|sign| sign.means).collect();
        all.join("; and ")
    };
    let step = |step| {
        let (what, how) = command(step);
        format!("{what}: `{how}`")
    };
    let reference = |text: &&str| (*text).to_owned();
    let pro = cause.signs.iter().map(weighed);
    section(&mut lines, "Speaks for it", pro);
    let contra = cause.against.iter().map(weighed);
    section(&mut lines, "Speaks against it", contra);
    let settled = cause.settled_by.iter().map(together);
    section(&mut lines, "Settles it", settled);
    let out = cause.ruled_out_by.iter().map(means);
    section(&mut lines, "Rules it out", out);
    lines.push(format!("\n## Fix\n\n{}", cause.fix));
    section(&mut lines, "To be sure", cause.next.iter().map(step));
    let references = cause.references.iter().map(reference);
    section(&mut lines, "References", references);
    lines.join("\n") + "\n"
}
