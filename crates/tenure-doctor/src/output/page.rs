//! The page of one cause.

use super::{command, layer};
use crate::cause::Cause;
use crate::sign::Sign;

/// In Markdown: what happens, how it is recognised, what to do. Written from the cause's data alone.
pub fn page(cause: &Cause) -> String {
    let mut lines = vec![
        format!("# {}: {}", cause.id, cause.title),
        format!("\nWhere: {}.\n\n{}", layer(cause.layer), cause.story),
    ];
    let mean = |signs: &mut dyn Iterator<Item = &&'static Sign>| {
        signs.map(|sign| sign.means.to_owned()).collect::<Vec<_>>()
    };
    let pro = mean(&mut cause.signs.iter().map(|(sign, _)| sign));
    let contra = mean(&mut cause.against.iter().map(|(sign, _)| sign));
    let out = mean(&mut cause.ruled_out_by.iter());
    let settled = cause.settled_by.iter();
    let settled = settled.map(|set| mean(&mut set.iter()).join("; and "));
    let steps = cause.next.iter().map(|step| {
        let (what, how) = command(step);
        format!("{what}: `{how}`")
    });
    list(&mut lines, "Speaks for it", &pro);
    list(&mut lines, "Speaks against it", &contra);
    list(&mut lines, "Settles it", &settled.collect::<Vec<_>>());
    list(&mut lines, "Rules it out", &out);
    lines.push(format!("\n## Fix\n\n{}", cause.fix));
    list(&mut lines, "To be sure", &steps.collect::<Vec<_>>());
    let references = cause.references.iter();
    list(
        &mut lines,
        "References",
        &references.map(|&text| text.to_owned()).collect::<Vec<_>>(),
    );
    lines.join("\n") + "\n"
}

fn list(lines: &mut Vec<String>, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    lines.push(format!("\n## {title}\n"));
    lines.extend(items.iter().map(|item| format!("- {item}")));
}
