//! Lines that fit, with colour where that is wanted.

use anstyle::{AnsiColor, Style};
use textwrap::Options;

use super::Look;

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// Narrower terminals get lines that are too long rather than a letter per line.
const LEAST_WIDTH: usize = 30;

/// Writes into a text.
pub(super) struct Pen {
    width: usize,
    color: bool,
    text: String,
}

impl Pen {
    pub(super) fn new(look: Look) -> Self {
        Self {
            width: look.width.max(LEAST_WIDTH),
            color: look.color,
            text: String::new(),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// A paragraph.
    pub(super) fn text(&mut self, text: &str) {
        self.wrapped(Options::new(self.width), Style::new(), text);
    }

    /// A paragraph in a style.
    pub(super) fn styled(&mut self, style: Style, text: &str) {
        self.wrapped(Options::new(self.width), style, text);
    }

    /// A label, and what follows it; its further lines stand below its first.
    pub(super) fn item(&mut self, label: &str, text: &str) {
        let first = format!("{label} ");
        let rest = " ".repeat(first.chars().count());
        let options = Options::new(self.width)
            .initial_indent(&first)
            .subsequent_indent(&rest);
        self.wrapped(options, Style::new(), text);
    }

    /// A heading, after an empty line.
    pub(super) fn heading(&mut self, text: &str) {
        self.gap();
        self.styled(STRONG, text);
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A line that fits already.
    pub(super) fn line(&mut self, style: Style, line: &str) {
        let line = line.trim_end();
        if self.color && style != Style::new() {
            let ends = [style.render().to_string(), style.render_reset().to_string()];
            let [start, end] = &ends;
            self.text.extend([start, line, end]);
        } else {
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn wrapped(&mut self, options: Options<'_>, style: Style, text: &str) {
        // Left whole where nothing allows a break: URLs, ids and commands are copied from here.
        for line in textwrap::wrap(text, options.break_words(false)) {
            self.line(style, &line);
        }
    }
}
