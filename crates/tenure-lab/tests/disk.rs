//! The faulty disk: plain files, then SQLite in a process that is killed right before the cut.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail like tests"
)]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;
use tenure_lab::disk::FaultyDisk;

const SEED: u64 = 20_261_121;

/// The mounted disk and the directory under it, or `None` after a printed SKIP.
fn disk(seed: u64) -> Option<(FaultyDisk, TempDir)> {
    let dir = TempDir::new().unwrap();
    let disk = FaultyDisk::mount_or_skip(dir.path(), seed).unwrap()?;
    Some((disk, dir))
}

fn sync_dir(dir: &Path) {
    File::open(dir).unwrap().sync_all().unwrap();
}

#[test]
fn files_and_directories_behave_like_those_of_any_disk() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let sub = disk.path().join("a/b");
    fs::create_dir_all(&sub).unwrap();
    fs::write(sub.join("one"), "first").unwrap();
    fs::rename(sub.join("one"), disk.path().join("two")).unwrap();
    OpenOptions::new()
        .append(true)
        .open(disk.path().join("two"))
        .unwrap()
        .write_all(b" second")
        .unwrap();
    std::os::unix::fs::symlink("two", disk.path().join("three")).unwrap();
    fs::hard_link(disk.path().join("two"), sub.join("four")).unwrap();

    assert_eq!(
        fs::read_to_string(disk.path().join("three")).unwrap(),
        "first second"
    );
    assert_eq!(
        fs::read_to_string(sub.join("four")).unwrap(),
        "first second"
    );
    let mut names: Vec<_> = fs::read_dir(disk.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["a", "three", "two"]);
    assert_eq!(
        fs::remove_dir(&sub).unwrap_err().kind(),
        ErrorKind::DirectoryNotEmpty
    );
    fs::remove_file(sub.join("four")).unwrap();
    fs::remove_dir(&sub).unwrap();
    assert_eq!(fs::metadata(&sub).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn only_what_was_synced_outlives_a_power_cut() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let path = disk.path().join("file");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"synced").unwrap();
    file.sync_data().unwrap();
    sync_dir(disk.path());
    file.write_all(b" and not").unwrap();
    fs::write(disk.path().join("nameless"), "x").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "synced and not");

    let report = disk.power_cut_losing_all();

    assert_eq!(fs::read_to_string(&path).unwrap(), "synced");
    assert!(!disk.path().join("nameless").exists());
    assert_eq!((report.pages_lost, report.names_lost), (1, 1));
    assert!(
        file.write_all(b"late").is_err(),
        "a file opened before the cut is dead"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "synced");
    let ops = disk.ops();
    assert_eq!(
        (ops.fsyncs, ops.directory_fsyncs, ops.power_cuts),
        (1, 1, 1)
    );
}

#[test]
fn a_synced_file_needs_its_directory_synced_too() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let path = disk.path().join("file");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"content").unwrap();
    file.sync_all().unwrap();
    disk.power_cut_losing_all();
    assert!(!path.exists());
}

#[test]
fn a_rename_without_a_directory_sync_leaves_the_old_file() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let (path, new) = (disk.path().join("file"), disk.path().join("new"));
    for (at, text) in [(&path, "old"), (&new, "new")] {
        let mut file = File::create(at).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.sync_all().unwrap();
    }
    sync_dir(disk.path());
    fs::rename(&new, &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    disk.power_cut_losing_all();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    fs::rename(&new, &path).unwrap();
    sync_dir(disk.path());
    disk.power_cut_losing_all();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn the_same_seed_and_writes_give_the_same_cuts() {
    let mut outcomes = Vec::new();
    for seed in [7, 7, 8] {
        let Some((disk, _dir)) = disk(seed) else {
            return;
        };
        let path = disk.path().join("file");
        let mut outcome = Vec::new();
        for round in 0..4u8 {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .unwrap();
            for page in 0..32u64 {
                file.write_all_at(&[round + 1; 4096], page * 4096).unwrap();
            }
            drop(file);
            sync_dir(disk.path());
            outcome.push(disk.power_cut());
            let mut bytes = Vec::new();
            File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
            let kept = bytes
                .chunks(4096)
                .filter(|page| page[0] == round + 1)
                .count();
            assert_eq!(kept, outcome.last().unwrap().pages_kept);
        }
        outcomes.push(outcome);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert_ne!(outcomes[0], outcomes[2]);
}

#[test]
fn a_full_and_a_read_only_disk_refuse_and_recover() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let path = disk.path().join("file");
    let file = File::create(&path).unwrap();
    file.write_all_at(b"0123", 0).unwrap();
    let refusal = |result: std::io::Result<()>| result.unwrap_err().kind();

    disk.full_for_growth();
    file.write_all_at(b"abcd", 0).unwrap();
    assert_eq!(refusal(file.write_all_at(b"e", 4)), ErrorKind::StorageFull);
    disk.full();
    assert_eq!(refusal(file.write_all_at(b"x", 0)), ErrorKind::StorageFull);
    assert_eq!(
        refusal(fs::write(disk.path().join("new"), "x")),
        ErrorKind::StorageFull
    );
    file.sync_all().unwrap();
    disk.read_only();
    assert_eq!(
        refusal(file.write_all_at(b"x", 0)),
        ErrorKind::ReadOnlyFilesystem
    );
    assert_eq!(
        refusal(fs::remove_file(&path)),
        ErrorKind::ReadOnlyFilesystem
    );
    assert_eq!(
        refusal(File::create(&path).map(drop)),
        ErrorKind::ReadOnlyFilesystem
    );
    disk.healthy();
    file.write_all_at(b"e", 4).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "abcde");
    assert_eq!(disk.ops().refused, 6);
}

#[test]
fn sqlite_with_synchronous_full_loses_no_acknowledged_commit() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let file = disk.path().join("full.db");
    let mut acknowledged = BTreeSet::new();
    for round in 0..12 {
        let (found, committed) = commit_until_killed(&file, "FULL", 60 + 7 * round);
        let found = found.expect("an intact database");
        assert!(
            acknowledged.is_subset(&found),
            "lost {:?}",
            &acknowledged - &found
        );
        acknowledged.extend(committed);
        disk.power_cut();
    }
    assert!(
        acknowledged.len() > 1000,
        "only {} commits",
        acknowledged.len()
    );
    assert!(disk.ops().fsyncs >= 1000, "{:?}", disk.ops());
}

#[test]
fn the_control_with_synchronous_off_loses_acknowledged_commits() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let (mut acknowledged, mut lost, mut broken) = (0, 0, 0);
    for round in 0..12 {
        let file = disk.path().join(format!("off-{round}.db"));
        let (_, committed) = commit_until_killed(&file, "OFF", 60 + 7 * round);
        disk.power_cut();
        let (found, _) = commit_until_killed(&file, "OFF", 0);
        acknowledged += committed.len();
        match found {
            Some(found) => lost += (&committed - &found).len(),
            None => broken += 1,
        }
    }
    println!("synchronous=OFF: lost {lost} of {acknowledged}, {broken} of 12 databases broken");
    assert!(
        lost > 100,
        "the disk kept what nobody synced: lost {lost} of {acknowledged}"
    );
}

#[test]
fn sqlite_goes_on_after_a_full_and_a_read_only_spell() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let file = disk.path().join("well.db");
    let mut writer = Writer::start(&file, "FULL");
    assert_eq!(writer.found(), Some(BTreeSet::new()));
    assert_eq!(writer.commit(), "committed 1");
    disk.full();
    assert_eq!(writer.commit(), "refused database or disk is full");
    disk.read_only();
    assert!(writer.commit().starts_with("refused "));
    disk.healthy();
    assert_eq!(writer.commit(), "committed 2");
    writer.kill();
    disk.power_cut_losing_all();
    let (found, _) = commit_until_killed(&file, "FULL", 0);
    assert_eq!(found, Some(BTreeSet::from([1, 2])));
}

#[test]
fn two_processes_share_one_database_on_the_disk() {
    let Some((disk, _dir)) = disk(SEED) else {
        return;
    };
    let file = disk.path().join("shared.db");
    let mut first = Writer::start(&file, "FULL");
    assert_eq!(first.found(), Some(BTreeSet::new()));
    let mut second = Writer::start(&file, "FULL");
    assert_eq!(second.found(), Some(BTreeSet::new()));
    for round in 0..30 {
        assert_eq!(first.commit(), format!("committed {}", 2 * round + 1));
        assert_eq!(second.commit(), format!("committed {}", 2 * round + 2));
    }
}

/// What the database held at the start (`None`: corrupt) and what was acknowledged until the
/// process was killed, which happens while it is still at work.
fn commit_until_killed(
    file: &Path,
    synchronous: &str,
    commits: usize,
) -> (Option<BTreeSet<i64>>, BTreeSet<i64>) {
    let mut writer = Writer::start(file, synchronous);
    let found = writer.found();
    writer.ask(commits * 2);
    let mut committed: BTreeSet<i64> = (0..commits).map(|_| row(&writer.line())).collect();
    committed.extend(writer.kill().iter().map(|line| row(line)));
    (found, committed)
}

fn row(line: &str) -> i64 {
    line.strip_prefix("committed ")
        .expect(line)
        .parse()
        .unwrap()
}

struct Writer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Writer {
    fn start(file: &Path, synchronous: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sqlite-writer"))
            .arg(file)
            .arg(synchronous)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    fn found(&mut self) -> Option<BTreeSet<i64>> {
        let line = self.line();
        let found = line.strip_prefix("found ")?;
        Some(
            found
                .split_whitespace()
                .map(|id| id.parse().unwrap())
                .collect(),
        )
    }

    /// A corrupt database's writer has already gone; then there is nobody to ask.
    fn ask(&mut self, commits: usize) {
        if let Err(error) = self.input.write_all("\n".repeat(commits).as_bytes()) {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        }
    }

    fn commit(&mut self) -> String {
        self.ask(1);
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Kills the process and returns the lines it had written but nobody had read.
    fn kill(&mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        // A line without its end was not written completely, so it acknowledges nothing.
        let complete = rest.rfind('\n').map_or("", |end| &rest[..end]);
        complete.lines().map(str::to_owned).collect()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.kill();
        }
    }
}
