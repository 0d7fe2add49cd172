//! A Cluster of three primaries, each with a replica or without.

use anyhow::Context;

use super::{DEADLINE, Engine, Options, Redis, random_password};
use crate::process::Port;

/// How many primaries there are.
const PRIMARIES: usize = 3;

/// As the protocol has it.
const SLOTS: usize = 16_384;

/// Three primaries, and their replicas. Where a primary is gone, the slots of the others go on.
#[derive(Debug)]
pub struct Cluster {
    primaries: Vec<Redis>,
    /// The replica of the primary with the same index, if there is one.
    replicas: Vec<Redis>,
    /// On which the nodes talk about each other.
    _buses: Vec<Port>,
}

impl Cluster {
    /// Starts the servers, joins them, and waits until each of them calls the Cluster good.
    ///
    /// # Errors
    /// When one does not start, or they do not come together.
    pub fn start(engine: Engine, options: &Options, with_replicas: bool) -> anyhow::Result<Self> {
        let count = if with_replicas {
            2 * PRIMARIES
        } else {
            PRIMARIES
        };
        let buses: Vec<_> = (0..count)
            .map(|_| Port::reserve())
            .collect::<Result<_, _>>()?;
        let password = random_password();
        let mut primaries: Vec<_> = buses
            .iter()
            .map(|bus| node(engine, options, &password, bus))
            .collect::<anyhow::Result<_>>()?;
        deal_slots(&primaries)?;
        join(&primaries, &buses)?;
        let replicas = primaries.split_off(PRIMARIES);
        for (replica, primary) in replicas.iter().zip(&primaries) {
            follow(replica, primary)?;
        }
        Ok(Self {
            primaries,
            replicas,
            _buses: buses,
        })
    }

    /// `redis+cluster://:PASSWORD@HOST:PORT,HOST:PORT,HOST:PORT`, with the first primaries.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.primaries.iter().map(Redis::address).collect();
        let password = self.primaries.first().map_or("", Redis::password);
        format!("redis+cluster://:{password}@{}", hosts.join(","))
    }

    /// The primaries, as long as none has failed over, in the order of their slots.
    pub fn primaries(&self) -> &[Redis] {
        &self.primaries
    }

    /// Their replicas, in the same order.
    pub fn replicas(&self) -> &[Redis] {
        &self.replicas
    }

    /// The index of the primary that keeps `key`.
    ///
    /// # Errors
    /// When no node answers.
    pub fn primary_of(&self, key: &str) -> anyhow::Result<usize> {
        let first = self.primaries.first().context("there are primaries")?;
        let slot: usize = first.command(&["CLUSTER", "KEYSLOT", key])?;
        Ok(slot * PRIMARIES / SLOTS)
    }

    /// Kills a primary.
    ///
    /// # Errors
    /// When there is none with this index, or it does not run.
    pub fn kill9(&mut self, primary: usize) -> anyhow::Result<()> {
        let primary = self.primaries.get_mut(primary);
        primary.context("there is no such primary")?.kill9()
    }

    /// Waits until the replica of a killed primary, resumed if it was held back, is the new primary.
    ///
    /// # Errors
    /// When it does not become one.
    pub fn wait_for_promotion(&self, primary: usize) -> anyhow::Result<()> {
        let replica = self.replicas.get(primary).context("there is no replica")?;
        replica.process().resume()?;
        let won = "Failover election won";
        replica.process().output().wait_for(won, DEADLINE)?;
        Ok(())
    }
}

fn node(engine: Engine, options: &Options, password: &str, bus: &Port) -> anyhow::Result<Redis> {
    let lines = [
        "cluster-enabled yes",
        "cluster-node-timeout 1000",
        "cluster-require-full-coverage no",
        // A replica that was held back for long may follow all the same.
        "cluster-replica-validity-factor 0",
        &format!("cluster-port {}", bus.address().port()),
    ];
    Redis::start_as(engine, options.clone(), password.to_owned(), &lines)
}

/// Primary `i` of 3 keeps the slots whose third is `i`.
fn deal_slots(nodes: &[Redis]) -> anyhow::Result<()> {
    for (index, node) in nodes.iter().take(PRIMARIES).enumerate() {
        let first = (index * SLOTS).div_ceil(PRIMARIES);
        let last = ((index + 1) * SLOTS).div_ceil(PRIMARIES) - 1;
        let (first, last) = (first.to_string(), last.to_string());
        node.command::<String>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
    }
    for (index, node) in nodes.iter().enumerate() {
        let epoch = (index + 1).to_string();
        node.command::<String>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])?;
    }
    Ok(())
}

fn join(nodes: &[Redis], buses: &[Port]) -> anyhow::Result<()> {
    let first = nodes.first().context("there are nodes")?;
    for (node, bus) in nodes.iter().zip(buses).skip(1) {
        let (port, bus) = (node.port().to_string(), bus.address().port().to_string());
        first.command::<String>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
    }
    let joined = "Cluster state changed: ok";
    nodes.iter().try_for_each(|node| {
        node.process().output().wait_for(joined, DEADLINE)?;
        Ok(())
    })
}

fn follow(replica: &Redis, primary: &Redis) -> anyhow::Result<()> {
    let name: String = primary.command(&["CLUSTER", "MYID"])?;
    replica.command::<String>(&["CLUSTER", "REPLICATE", &name])?;
    let synchronised = "REPLICA sync: Finished with success";
    replica
        .process()
        .output()
        .wait_for(synchronised, DEADLINE)?;
    Ok(())
}
