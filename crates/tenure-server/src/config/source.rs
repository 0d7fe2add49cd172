//! Where every value came from.

use std::fmt;
use std::path::PathBuf;

/// The origin of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// Follows from another value, as named.
    Derived(&'static str),
    /// A line of the configuration file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// First line is 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
    /// A file that `--dev` made in the data directory.
    Generated(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived(from) => write!(f, "from {from}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
            Self::Generated(path) => write!(f, "generated {}", path.display()),
        }
    }
}

/// One line of `tenure config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Dotted path of the key, such as `clients.web.lifetimes.idle`.
    pub key: String,
    /// The value as text; `set` for a secret, `not set` for an optional value that is absent.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

impl Entry {
    /// Whether a running service takes over a change.
    pub fn is_reloadable(&self) -> bool {
        let of_the_start = ["limits.connections", "limits.password_workers"];
        ["clients.", "limits.", "keys.", "device."]
            .iter()
            .any(|section| self.key.starts_with(section))
            && !of_the_start.contains(&self.key.as_str())
    }
}

/// Every value that the service runs on, in the order of the reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Vec<Entry>);

impl Sources {
    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// The entry of one key.
    pub fn find(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    pub(super) fn record(&mut self, key: String, value: String, source: Source) {
        let entry = Entry { key, value, source };
        match self.0.iter_mut().find(|one| one.key == entry.key) {
            Some(known) => *known = entry,
            None => self.0.push(entry),
        }
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Entry) -> usize| self.0.iter().map(of).max().unwrap_or_default();
        let keys = width(|entry| entry.key.len());
        // One long list of redirect URIs must not push every other source off the screen.
        let values = width(|entry| entry.value.len()).min(44);
        for Entry { key, value, source } in &self.0 {
            writeln!(f, "{key:keys$}  {value:values$}  {source}")?;
        }
        Ok(())
    }
}
