//! Reads one table after another, and remembers what was asked, said and wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::setting::{Setting, Wrong};
use super::source::{Source, Sources};
use super::value::{Table, Value};

/// What the user said, by every way there is.
#[derive(Debug)]
pub(super) struct Given<'a> {
    pub(super) file: Option<&'a Path>,
    pub(super) environment: &'a BTreeMap<String, String>,
    /// Key, flag, value.
    pub(super) flags: Vec<(&'static str, &'static str, String)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) sources: Sources,
    pub(super) warnings: Vec<String>,
    /// Environment variables that mean something here.
    pub(super) variables: Vec<String>,
}

/// One table of the file, with the variables and flags that override it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    given: &'a Given<'a>,
    report: &'a mut Report,
    /// Dotted, with a dot at the end; empty for the root.
    prefix: String,
    table: &'a Table,
    /// Client tables are too many and too deep for variables.
    overridable: bool,
    asked: Vec<&'static str>,
    /// Its keys are the user's own names.
    open: bool,
}

impl<'a> Section<'a> {
    /// The whole document.
    pub(super) fn root(given: &'a Given<'a>, report: &'a mut Report, table: &'a Table) -> Self {
        let (prefix, asked) = (String::new(), Vec::new());
        Self {
            given,
            report,
            prefix,
            table,
            overridable: true,
            asked,
            open: false,
        }
    }

    /// Reads a key that has a default.
    pub(super) fn read<T: Setting>(&mut self, key: &'static str, default: T) -> T {
        self.given(key).unwrap_or_else(|| {
            self.note(key, default.show(), Source::Default);
            default
        })
    }

    /// Reads a key that may be absent.
    pub(super) fn optional<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        let value = self.given(key);
        if value.is_none() {
            self.note(key, "not set".to_owned(), Source::Default);
        }
        value
    }

    /// Reads a key that must be there.
    pub(super) fn required<T: Setting>(&mut self, key: &'static str, fix: &str) -> Option<T> {
        let value = self.given(key);
        if value.is_none() && !self.is_given(key) {
            self.complain(key, format!("is missing; {fix}"));
        }
        value
    }

    /// Reads a path; in the file it is relative to the file.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let path: PathBuf = self.optional(key)?;
        Some(self.beside_file(key, &path))
    }

    /// A path that was read, relative to the file where it stands there.
    pub(super) fn beside_file(&mut self, key: &'static str, path: &Path) -> PathBuf {
        let base = match self.source(key) {
            Source::File { path, .. } => path.parent().map(Path::to_owned),
            _ => None,
        };
        let path = base.map_or_else(|| path.to_owned(), |base| base.join(path));
        let source = self.source(key);
        self.note(key, path.display().to_string(), source);
        path
    }

    /// The table under `key`, or an empty one; unknown keys in it are reported afterwards.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        self.asked.push(key);
        let (empty, table) = (Table::new(), self.table);
        let table = match table.get(key).map(|node| &node.value) {
            Some(Value::Table(table)) => table,
            None => &empty,
            Some(other) => {
                let kind = other.kind();
                self.complain(
                    key,
                    format!("is {kind}; write a table, [{}{key}]", self.prefix),
                );
                &empty
            }
        };
        self.within(key, table, self.overridable, read)
    }

    /// Every table in this one, by name.
    pub(super) fn tables<T>(
        &mut self,
        mut read: impl FnMut(&str, &mut Section<'_>) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for (name, node) in self.entries() {
            if let Value::Table(table) = &node.value {
                found.extend(self.within(name, table, false, |one| read(name, one)));
            } else {
                self.complain(name, format!("is no table; write [{}{name}]", self.prefix));
            }
        }
        found
    }

    /// Everything in this table; its names are free, so that none of them is unknown.
    pub(super) fn entries(&mut self) -> &'a Table {
        self.open = true;
        self.table
    }

    /// Says why a key that one might expect is not there.
    pub(super) fn refuse(&mut self, key: &'static str, message: &str) {
        if let Some(node) = self.table.get(key) {
            self.asked.push(key);
            let source = self.line(node.line);
            self.problem(source, format!("{}{key}", self.prefix), message.to_owned());
        }
    }

    /// Something is wrong with a key that was read, or should have been there.
    pub(super) fn complain(&mut self, key: &str, message: impl Into<String>) {
        let source = self.source(key);
        let key = format!("{}{key}", self.prefix);
        self.problem(source, key, message.into());
    }

    /// Something is wrong with the table as a whole.
    pub(super) fn complain_all(&mut self, message: &str) {
        let line = self.table.values().map(|node| node.line).min().unwrap_or(1);
        let key = self.prefix.trim_end_matches('.').to_owned();
        self.problem(self.line(line), key, message.to_owned());
    }

    /// Replaces what is shown for a key.
    pub(super) fn note(&mut self, key: &str, value: String, source: Source) {
        let key = format!("{}{key}", self.prefix);
        self.report.sources.record(key, value, source);
    }

    /// Something that works, and should be looked at.
    pub(super) fn warn(&mut self, warning: String) {
        self.report.warnings.push(warning);
    }

    /// True where someone gave the key.
    pub(super) fn is_given(&self, key: &str) -> bool {
        !matches!(self.source(key), Source::Default)
    }

    /// Where the key's value comes from.
    pub(super) fn source(&self, key: &str) -> Source {
        self.look_up(key)
            .map_or(Source::Default, |(_, source)| source)
    }

    /// The environment variable `name`, unless it is empty; from now on it is a known one.
    pub(super) fn variable(&mut self, name: &str) -> Option<&'a str> {
        self.report.variables.push(name.to_owned());
        let value = self.given.environment.get(name)?;
        (!value.trim().is_empty()).then_some(value)
    }

    fn given<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        self.asked.push(key);
        if self.overridable {
            self.report.variables.push(self.variable_name(key));
        }
        let (value, source) = self.look_up(key)?;
        match T::parse(&value) {
            Ok(setting) => {
                self.note(key, setting.show(), source);
                Some(setting)
            }
            Err(Wrong { line, message }) => {
                let source = line.map_or(source, |line| self.line(line));
                self.problem(source, format!("{}{key}", self.prefix), message);
                None
            }
        }
    }

    fn look_up(&self, key: &str) -> Option<(Value, Source)> {
        let path = format!("{}{key}", self.prefix);
        if let Some((_, flag, value)) = self.given.flags.iter().find(|(of, ..)| *of == path) {
            return Some((Value::Text(value.clone()), Source::Flag(flag)));
        }
        let name = self.variable_name(key);
        // Compose files and unit templates pass variables that they have no value for as empty ones.
        if let Some(value) = self.given.environment.get(&name)
            && self.overridable
            && !value.trim().is_empty()
        {
            return Some((Value::Text(value.clone()), Source::Environment(name)));
        }
        let node = self.table.get(key)?;
        Some((node.value.clone(), self.line(node.line)))
    }

    fn variable_name(&self, key: &str) -> String {
        format!("TENURE_{}{key}", self.prefix)
            .replace('.', "_")
            .to_ascii_uppercase()
    }

    fn line(&self, line: usize) -> Source {
        // The one document that is no file is the built-in one of --dev.
        let file = self.given.file.map(|path| Source::File {
            path: path.to_owned(),
            line,
        });
        file.unwrap_or(Source::Flag("--dev"))
    }

    fn problem(&mut self, source: Source, key: String, message: String) {
        self.report.problems.push(Problem {
            source,
            key,
            message,
        });
    }

    fn within<T>(
        &mut self,
        name: &str,
        table: &Table,
        overridable: bool,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let (given, report) = (self.given, &mut *self.report);
        let (prefix, asked) = (format!("{}{name}.", self.prefix), Vec::new());
        let mut inner = Section {
            given,
            report,
            prefix,
            table,
            overridable,
            asked,
            open: false,
        };
        let result = read(&mut inner);
        inner.finish();
        result
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(&mut self) {
        for (key, node) in self.table {
            if self.open || self.asked.contains(&key.as_str()) {
                continue;
            }
            let message = match nearest(key, self.asked.iter().copied()) {
                Some(near) => format!("is no key of this table; did you mean {near}?"),
                None => format!("is no key of this table; it has {}", self.asked.join(", ")),
            };
            self.problem(
                self.line(node.line),
                format!("{}{key}", self.prefix),
                message,
            );
        }
    }
}

/// The name that `wrong` was probably meant to be.
pub(super) fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (wrong.len() / 3).max(2);
    names
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}
