//! What the server is, whether it may be used, and whether it takes a write.

use std::sync::atomic::Ordering;

use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd};

use super::error::damaged;
use super::inner::Inner;
use super::options::Wait;
use super::scripts::CHECK;
use super::target::Mode;
use crate::{Shard, StoreError};

/// Lists with `ACL SETUSER` what the scripts and the checks need.
const RIGHTS: &str = "~PREFIX:* ~{PREFIX:* +@read +@write +@scripting +@connection +info +time +cluster +config|get +wait +waitaof";

/// Facts for the operator.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) facts: Vec<(&'static str, String)>,
    /// Tells these servers, since they were started, from any others; empty where none says.
    pub(super) runs: String,
}

/// Why a server is refused, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) problem: String,
    pub(super) fix: String,
}

/// One node by its own words (`INFO`).
#[derive(Clone, Debug)]
struct Node {
    info: String,
}

impl Node {
    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.info.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    }

    fn or_unknown(&self, name: &str) -> &str {
        self.field(name).unwrap_or("unknown")
    }

    /// Another one after a restart, and after it was a replica of another server.
    fn run(&self) -> Option<String> {
        let (run, replication) = (self.field("run_id")?, self.field("master_replid")?);
        Some(format!("{run}/{replication}"))
    }

    /// `standalone`, `sentinel` or `cluster`; Valkey has another name for it.
    fn mode(&self) -> &str {
        self.field("redis_mode")
            .unwrap_or_else(|| self.or_unknown("server_mode"))
    }

    /// Valkey calls itself Redis 7.2 for the programs' sake.
    fn version(&self) -> (u32, u32) {
        let text = self.field("redis_version").unwrap_or_default();
        let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    fn name(&self) -> String {
        match self.field("valkey_version") {
            Some(version) => format!("valkey {version}"),
            None => format!("redis {}", self.or_unknown("redis_version")),
        }
    }

    fn refusal(&self, mode: &Mode, wait: Wait) -> Option<Refusal> {
        let kind = self.mode();
        let (major, minor) = self.version();
        let policy = self.or_unknown("maxmemory_policy");
        let appends = self.field("aof_enabled") == Some("1");
        let (problem, fix) = match mode {
            Mode::Standalone(_) if kind == "cluster" => (
                "it is a node of a Redis Cluster".to_owned(),
                "write redis+cluster://HOST:PORT,… with some of its nodes",
            ),
            Mode::Standalone(_) if kind == "sentinel" => (
                "it is a Sentinel".to_owned(),
                "write redis+sentinel://HOST:PORT,…/MASTER",
            ),
            _ if (major, minor) < (6, 2) => (
                format!("it is {}", self.name()),
                "use Redis 6.2 or newer, or Valkey",
            ),
            _ if self.field("role") == Some("slave") => (
                "it is a replica, which takes no writes and may be behind".to_owned(),
                "name the primary, or the Sentinels that know it: redis+sentinel://HOST:PORT,…/MASTER",
            ),
            _ if policy != "noeviction" => (
                format!("its maxmemory-policy is {policy}: it would throw sessions away"),
                "set maxmemory-policy noeviction, in its file and with CONFIG SET",
            ),
            _ if wait.local && (major, minor) < (7, 2) => (
                format!(
                    "wait_local needs WAITAOF, which {} does not have",
                    self.name()
                ),
                "use Redis 7.2 or newer, or Valkey, or leave wait_local out",
            ),
            _ if wait.local && !appends => (
                "wait_local needs an append-only file, and it writes none".to_owned(),
                "set appendonly yes, or leave wait_local out",
            ),
            _ => return None,
        };
        let fix = fix.to_owned();
        Some(Refusal { problem, fix })
    }
}

impl Inner {
    /// Looks at every primary; what it finds is described from then on.
    pub(super) async fn inspect(&self, mode: &Mode) -> Result<(), Refusal> {
        let nodes = self.nodes().await.map_err(|error| refusal(&error, mode))?;
        let refused = nodes.iter().find_map(|node| node.refusal(mode, self.wait));
        if let Some(refused) = refused {
            return Err(refused);
        }
        if let Some(state) = self
            .cluster_trouble()
            .await
            .map_err(|error| refusal(&error, mode))?
        {
            return Err(Refusal {
                problem: format!("the cluster is not whole: cluster_state:{state}"),
                fix: "see CLUSTER INFO and CLUSTER NODES on one of its nodes; every slot needs a primary"
                    .to_owned(),
            });
        }
        let facts = self.facts(&nodes).await;
        let mut runs: Vec<String> = nodes.iter().filter_map(Node::run).collect();
        runs.sort();
        let runs = runs.join(" ");
        *self.found.lock() = Found { facts, runs };
        Ok(())
    }

    async fn nodes(&self) -> RedisResult<Vec<Node>> {
        let answer = self.link.route(cmd("INFO"), everywhere()).await?;
        let mut texts = Vec::new();
        collect(&answer, &mut texts);
        let nodes = texts
            .into_iter()
            .filter(|text| text.contains("redis_version:"));
        Ok(nodes.map(|info| Node { info }).collect())
    }

    async fn cluster_trouble(&self) -> RedisResult<Option<String>> {
        if !self.link.is_cluster() {
            return Ok(None);
        }
        let mut info = cmd("CLUSTER");
        info.arg("INFO");
        let mut texts = Vec::new();
        collect(&self.link.route(info, everywhere()).await?, &mut texts);
        let states = texts.iter().flat_map(|text| text.lines());
        let mut states = states.filter_map(|line| line.strip_prefix("cluster_state:"));
        Ok(states.find(|state| *state != "ok").map(str::to_owned))
    }

    /// The same of every node once, different ones side by side.
    async fn facts(&self, nodes: &[Node]) -> Vec<(&'static str, String)> {
        let all = |of: &dyn Fn(&Node) -> String| {
            let mut values: Vec<String> = nodes.iter().map(of).collect();
            values.sort();
            values.dedup();
            values.join(", ")
        };
        let appendonly = |node: &Node| match node.field("aof_enabled") {
            Some("1") => "yes".to_owned(),
            Some(_) => "no".to_owned(),
            None => "unknown".to_owned(),
        };
        let mode = if self.sentinels {
            "sentinel".to_owned()
        } else {
            all(&|node| node.mode().to_owned())
        };
        vec![
            ("server", all(&Node::name)),
            ("mode", mode),
            ("appendonly", all(&appendonly)),
            ("appendfsync", self.setting("appendfsync").await),
            (
                "maxmemory-policy",
                all(&|node| node.or_unknown("maxmemory_policy").to_owned()),
            ),
            (
                "connected replicas",
                all(&|node| node.or_unknown("connected_slaves").to_owned()),
            ),
            (
                "min-replicas-to-write",
                self.setting("min-replicas-to-write").await,
            ),
            ("wait", self.wait.to_string()),
        ]
    }

    /// Managed servers do not tell their settings.
    async fn setting(&self, name: &str) -> String {
        let mut command = cmd("CONFIG");
        command.arg("GET").arg(name);
        let Ok(answer) = self.link.route(command, everywhere()).await else {
            return "unknown".to_owned();
        };
        let mut texts = Vec::new();
        collect(&answer, &mut texts);
        let names = texts.iter().position(|text| text == name);
        let value = names.and_then(|at| texts.get(at + 1));
        value.cloned().unwrap_or_else(|| "unknown".to_owned())
    }

    /// Writes a marker and reads it back, with every command that is ever used.
    pub(super) async fn mark(&self) -> Result<(), StoreError> {
        let number = self.marks.fetch_add(1, Ordering::Relaxed);
        let shard = Shard(u16::try_from(number % u64::from(Shard::COUNT)).unwrap_or(0));
        let keys = ["1", "2", "3", "4"].map(|name| self.keys.scratch(shard, name));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let marker = format!("marker {number}");
        let read: Option<String> = CHECK
            .call(&keys)
            .bytes(marker.as_str())
            .run(&self.link)
            .await?;
        if read.as_ref() == Some(&marker) {
            return Ok(());
        }
        Err(damaged(&format!("{marker} reads back as {read:?}")))
    }

    /// Whether this server's sessions are kept in step with this log: entries of another would be
    /// applied at wrong places. A server that is not served by any is from now on.
    pub(super) async fn belong_together(&self) -> Result<Result<(), Refusal>, StoreError> {
        let key = self.keys.served_by();
        let mine = format!("{FORMAT} {}", self.log.id().await?);
        let mut claim = cmd("SET");
        claim.arg(&key).arg(&mine).arg("NX");
        let _claimed: Value = self.link.ask(&claim).await?;
        let found: String = self.link.ask(cmd("GET").arg(&key)).await?;
        if found == mine {
            return Ok(Ok(()));
        }
        let format = found.split(' ').next().and_then(|word| word.parse().ok());
        let (problem, fix) = if format.is_none_or(|format: u32| format > FORMAT) {
            (
                "its sessions were written by a newer program".to_owned(),
                "upgrade tenure, or choose another prefix",
            )
        } else {
            (
                "its sessions belong to another SQL store than the one that is configured"
                    .to_owned(),
                "name the SQL store that they belong to, or choose another prefix",
            )
        };
        let fix = fix.to_owned();
        Ok(Err(Refusal { problem, fix }))
    }
}

/// How sessions are written; a program refuses what a newer one wrote.
const FORMAT: u32 = 1;

/// Why the first commands failed.
pub(super) fn refusal(error: &RedisError, mode: &Mode) -> Refusal {
    let said = error.to_string();
    let (problem, fix) = match error.kind() {
        ErrorKind::AuthenticationFailed => ("it does not take the user or password", CREDENTIALS),
        _ if ["NOAUTH", "WRONGPASS"]
            .iter()
            .any(|word| said.contains(word)) =>
        {
            ("it does not take the user or password", CREDENTIALS)
        }
        ErrorKind::Server(ServerErrorKind::NoPerm) => return rights(&said),
        ErrorKind::MasterNameNotFoundBySentinel => (
            "the Sentinels watch no master of this name, or none that answers",
            "write the name that SENTINEL MASTERS shows, after the hosts",
        ),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => (
            "what answers is neither Redis nor Valkey",
            "correct its host and port",
        ),
        _ if said.contains("cluster support disabled") => (
            "it is no node of a Redis Cluster",
            "write redis://HOST:PORT",
        ),
        _ if matches!(mode, Mode::Sentinel { .. }) => {
            return Refusal {
                problem: format!("no Sentinel leads to a master: {said}"),
                fix: "start them, or correct their hosts and ports".to_owned(),
            };
        }
        _ => {
            return Refusal {
                problem: format!("no server answers: {said}"),
                fix: "start it, or correct its host and port, and redis or rediss".to_owned(),
            };
        }
    };
    Refusal {
        problem: problem.to_owned(),
        fix: fix.to_owned(),
    }
}

const CREDENTIALS: &str =
    "correct USER:PASSWORD before the host in the URL; %-encode / ? # @ : and %";

/// Why the marker was not written.
pub(super) fn unmarked(error: &StoreError) -> Refusal {
    match error {
        StoreError::Unavailable(said) if said.contains("NOPERM") => rights(said),
        said => Refusal {
            problem: said.to_string(),
            fix: "it has to take writes before anybody can sign in".to_owned(),
        },
    }
}

fn rights(said: &str) -> Refusal {
    Refusal {
        problem: format!("its user lacks a right: {said}"),
        fix: format!("ACL SETUSER NAME {RIGHTS}"),
    }
}

pub(super) fn everywhere() -> RoutingInfo {
    RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None))
}

/// The texts in an answer of one node or of many.
fn collect(answer: &Value, texts: &mut Vec<String>) {
    match answer {
        Value::BulkString(bytes) => texts.push(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => texts.push(text.clone()),
        Value::Array(values) | Value::Set(values) => {
            for value in values {
                collect(value, texts);
            }
        }
        Value::Map(pairs) => {
            for (name, value) in pairs {
                collect(name, texts);
                collect(value, texts);
            }
        }
        _ => {}
    }
}
