#!/usr/bin/env python3
"""What so many active devices need: the arithmetic behind docs/capacity.md.

    python3 bench/capacity.py            print the tables
    python3 bench/capacity.py write      put them into docs/capacity.md
    python3 bench/capacity.py check      end with 1 if the page holds others
    python3 bench/capacity.py take COMPARE.json LOADED.json
                                         replace the measured costs by those of two runs

The costs are in bench/measured.json, the assumptions below.
"""

import json
import math
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEASURED = HERE / "measured.json"
PAGE = HERE.parent / "docs" / "capacity.md"

# How people use their devices.
DEVICES = [("1 million", 10**6), ("100 million", 10**8), ("1 billion", 10**9)]
ACCESS_TOKEN_MINUTES = 15
HOURS_ACTIVE_PER_DAY = 4  # an app asks for a token only while it is used
PEAK = 3  # the busiest minutes of the week, times the average
DAYS_BETWEEN_SIGN_INS = 90  # of one device; as many sessions end
ROWS_PER_ACTIVE_DEVICE = 1.5  # sessions that nobody uses any more and that are not purged yet

# How machines are used.
FULL_AT = 0.5  # a core is planned to be busy for this part of the time, at the peak
CORES_PER_MACHINE = 8
SERVERS_AT_LEAST = 2  # one may be away
POSTGRES_CORES = 32  # of one primary
POSTGRES_GB = 2000  # of one primary: what can still be restored in hours
REDIS_GB = 25  # of one shard: what can still be copied to a replica in minutes
PACKETS = 1.15  # TCP/IP and TLS around the payload

STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "redis": "Redis"}
DAY = 86400


class Load:
    """What a number of active devices asks for."""

    def __init__(self, devices):
        self.average = devices * HOURS_ACTIVE_PER_DAY * 60 / ACCESS_TOKEN_MINUTES / DAY
        self.peak = self.average * PEAK
        self.rows = devices * ROWS_PER_ACTIVE_DEVICE
        self.sign_ins = devices / DAYS_BETWEEN_SIGN_INS / DAY


class Need:
    """What that load takes on one store."""

    def __init__(self, store, load, measured):
        cost, row = measured["refresh"][store], measured["session"][store]
        self.server_cores = load.peak * cost["server_cpu_us"] / 1e6 / FULL_AT
        self.store_cores = load.peak * cost["store_cpu_us"] / 1e6 / FULL_AT
        machines = math.ceil(self.server_cores / CORES_PER_MACHINE)
        self.machines = max(machines + 1, SERVERS_AT_LEAST) if store != "sqlite" else 1
        self.bytes = load.rows * row["bytes"]
        self.log_bytes = load.rows * row["log_bytes"]
        self.written = load.average * cost["disk_bytes"]
        self.clients = load.peak * cost["client_bytes"] * PACKETS
        self.inside = load.peak * cost["store_bytes"] * PACKETS
        self.shards = self.shards_of(store)

    def shards_of(self, store):
        """Databases among which the sessions are divided."""
        if store == "postgres":
            return max(
                math.ceil(self.store_cores / POSTGRES_CORES),
                math.ceil((self.bytes + self.log_bytes) / POSTGRES_GB / 1e9),
            )
        if store == "redis":
            # One core carries out the commands of a shard.
            return max(math.ceil(self.store_cores), math.ceil(self.bytes / REDIS_GB / 1e9))
        return 1


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def size(count):
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{number(count / factor)} {unit}"
    return f"{count:.0f} B"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def measured_table(measured):
    rows = []
    for store, name in STORES.items():
        cost, row = measured["refresh"][store], measured["session"][store]
        rows.append(
            [
                name,
                f"{cost['server_cpu_us']:.0f} µs",
                f"{cost['store_cpu_us']:.0f} µs",
                size(cost["disk_bytes"]),
                size(cost["client_bytes"]),
                size(cost["store_bytes"]),
                size(row["bytes"]),
                size(row["log_bytes"]),
            ]
        )
    head = ["store", "server CPU", "store CPU", "written", "clients", "server to store"]
    return table([*head, "a session", "its log"], rows)


def load_table():
    rows = []
    for name, devices in DEVICES:
        load = Load(devices)
        rows.append(
            [
                name,
                number(load.average),
                number(load.peak),
                number(load.sign_ins),
                f"{load.rows / 1e6:,.1f} million",
            ]
        )
    head = ["active devices", "refreshes/s", "at the peak", "sign-ins/s", "sessions stored"]
    return table(head, rows)


def need_table(store, measured):
    rows = []
    for name, devices in DEVICES:
        need = Need(store, Load(devices), measured)
        rows.append(
            [
                name,
                f"{number(need.server_cores)} / {need.machines}",
                number(need.store_cores),
                f"{need.shards:,}",
                size(need.bytes),
                size(need.log_bytes),
                f"{size(need.written)}/s",
                f"{size(need.clients * 8).replace('B', 'bit')}/s",
                f"{size(need.inside * 8).replace('B', 'bit')}/s",
            ]
        )
    head = ["active devices", "server cores / machines", "store cores", "databases"]
    sizes = ["sessions", "log", "written", "clients, peak", "server to store, peak"]
    return table(head + sizes, rows)


def tables(measured):
    blocks = {"measured": measured_table(measured), "load": load_table()}
    for store in ("postgres", "redis"):
        blocks[store] = need_table(store, measured)
    first = Need("sqlite", Load(DEVICES[0][1]), measured)
    blocks["sqlite"] = need_table("sqlite", measured).split("\n| 100 million")[0]
    assert first.shards == 1
    return blocks


def page_with(text, blocks):
    for name, block in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = before + begin + block + end + after
    return text


def take(compare, loaded):
    """The runs with 64 workers, and what came to the stores with their many sessions."""
    refresh, session = {}, {}
    for on in json.loads(Path(compare).read_text())["stores"]:
        [run] = [run for run in on["tenure"]["runs"] if run["workers"] == 64]
        store_cpu = run["store_cpu_us"] or 0
        refresh[on["kind"].lower()] = {
            "server_cpu_us": round(run["server_cpu_us"] - store_cpu, 1),
            "store_cpu_us": round(store_cpu, 1),
            "disk_bytes": round(run["disk_bytes"]),
            "client_bytes": round(run["client_bytes"]),
            "store_bytes": round(run["store_bytes"] or 0),
        }
    for on in json.loads(Path(loaded).read_text()):
        held = on["holding"]
        session[on["kind"].lower()] = {
            "bytes": round(held["bytes"] / held["sessions"]),
            "log_bytes": on["log_bytes_each"],
        }
    missing = [store for store in STORES if store not in refresh or store not in session]
    if missing:
        sys.exit(f"the runs lack {', '.join(missing)}")
    measured = {"refresh": refresh, "session": session}
    MEASURED.write_text(json.dumps(measured, indent=2) + "\n")


def main(arguments):
    if arguments[:1] == ["take"] and len(arguments) == 3:
        take(*arguments[1:])
        return
    blocks = tables(json.loads(MEASURED.read_text()))
    if not arguments:
        for name, block in blocks.items():
            print(f"{name}\n{block}\n")
    elif arguments == ["write"]:
        PAGE.write_text(page_with(PAGE.read_text(), blocks))
    elif arguments == ["check"]:
        page = PAGE.read_text()
        if page_with(page, blocks) != page:
            sys.exit("docs/capacity.md holds other tables: python3 bench/capacity.py write")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
