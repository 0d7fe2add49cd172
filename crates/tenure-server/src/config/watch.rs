//! Notices that the configuration file has changed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// Editors write a file in several steps; the last one counts.
const SETTLE: Duration = Duration::from_millis(200);

/// The file cannot be watched; SIGHUP still reloads.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {path}: {cause}")]
pub struct WatchError {
    path: PathBuf,
    cause: notify::Error,
}

/// Watches one file from the moment that it is made: make it before the file is read for use, so
/// that no change falls in between.
#[derive(Debug)]
pub struct Watch {
    file: PathBuf,
    known: Option<Vec<u8>>,
    noticed: mpsc::Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Begins to watch.
    pub fn new(file: &Path) -> Result<Self, WatchError> {
        let (notice, noticed) = mpsc::channel(1);
        let watcher = watcher(file, notice).map_err(|cause| WatchError {
            path: file.to_owned(),
            cause,
        })?;
        let known = std::fs::read(file).ok();
        Ok(Self {
            file: file.to_owned(),
            known,
            noticed,
            _watcher: watcher,
        })
    }

    /// Waits until the file says something else than before; false when it is no longer watched.
    pub async fn changed(&mut self) -> bool {
        while self.noticed.recv().await.is_some() {
            while let Ok(Some(())) = tokio::time::timeout(SETTLE, self.noticed.recv()).await {}
            let now = std::fs::read(&self.file).ok();
            if now.is_some() && now != self.known {
                self.known = now;
                return true;
            }
        }
        false
    }
}

/// Watches the directory: an editor replaces the file, and a mounted one changes with its symlink.
fn watcher(file: &Path, notice: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = file.file_name().map(ToOwned::to_owned);
    let concerns = move |event: &Event| {
        let mounted = |path: &Path| path.to_string_lossy().contains("/..data");
        let same = |path: &PathBuf| path.file_name() == name.as_deref() || mounted(path);
        is_change(event.kind) && event.paths.iter().any(same)
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // One waiting notice is as good as many.
        if event.is_ok_and(|event| concerns(&event)) {
            let _full = notice.try_send(());
        }
    })?;
    watcher.watch(&directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// Reading the file is an event too; it must not cause another reading.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;

    #[tokio::test]
    async fn a_change_in_place_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tenure.toml");
        std::fs::write(&file, "old").unwrap();
        let mut watch = Watch::new(&file).unwrap();
        std::fs::write(&file, "new").unwrap();
        assert!(watch.changed().await);
    }

    #[tokio::test]
    async fn a_replaced_file_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let (file, aside) = (
            directory.path().join("tenure.toml"),
            directory.path().join("aside"),
        );
        std::fs::write(&file, "old").unwrap();
        let mut watch = Watch::new(&file).unwrap();
        std::fs::write(&aside, "new").unwrap();
        std::fs::rename(&aside, &file).unwrap();
        assert!(watch.changed().await);
    }

    #[tokio::test]
    async fn a_mounted_file_is_seen_when_its_directory_is_switched() {
        use std::os::unix::fs::symlink;

        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for version in ["..1", "..2"] {
            std::fs::create_dir(at(version)).unwrap();
            std::fs::write(at(version).join("tenure.toml"), version).unwrap();
        }
        symlink("..1", at("..data")).unwrap();
        symlink("..data/tenure.toml", at("tenure.toml")).unwrap();
        let mut watch = Watch::new(&at("tenure.toml")).unwrap();
        symlink("..2", at("..data_tmp")).unwrap();
        std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert!(watch.changed().await);
    }
}
