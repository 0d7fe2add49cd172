"""Lines of logs, as apps write them and as those who collect logs keep them."""

import datetime
import json
import re
import time


def stamps(line: str, fallback: float) -> float:
    """The moment that a line names, else the last one."""
    if found := re.search(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.,]?(\d{3})?", line):
        day, at, part = found.groups()
        moment = datetime.datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=datetime.timezone.utc)
        return moment.timestamp() + int(part or 0) / 1000
    if found := re.search(r'"time":(\d{13})', line):
        return int(found[1]) / 1000
    if found := re.search(r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d) \+0000\]", line):
        moment = datetime.datetime.strptime(found[1], "%d/%b/%Y:%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
        return moment.timestamp()
    return fallback


def timed(text: str, begin: float = 0) -> list[tuple[float, str]]:
    """Lines with the moment of each."""
    at, found = begin, []
    for line in text.splitlines():
        at = max(stamps(line, at), at + 0.000031)
        found.append((at, line))
    return found


def iso(at: float, digits=3, end="Z") -> str:
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[: 20 + digits] + ("0" * (digits - 6)) + end


def docker_json(text: str, stream="stdout", begin=0.0) -> str:
    """Docker's `json-file`."""
    return "".join(json.dumps({"log": line + "\n", "stream": stream, "time": iso(at, 9)}) + "\n" for at, line in timed(text, begin))


def cri(text: str, begin=0.0, stream="stdout") -> str:
    """As containerd writes `/var/log/pods/…/0.log`."""
    return "".join(f"{iso(at, 9)} {stream} F {line}\n" for at, line in timed(text, begin))


def kubectl(pods: dict[str, str], begin=0.0) -> str:
    """`kubectl logs --prefix --timestamps -l app=…`, by time."""
    lines = [(at, f"[pod/{pod}] {iso(at, 9)} {line}") for pod, text in pods.items() for at, line in timed(text, begin)]
    return "".join(line + "\n" for _, line in sorted(lines, key=lambda each: each[0]))


def journal_json(text: str, unit: str, host="web-02", pid=812, begin=0.0) -> str:
    """`journalctl -o json`."""
    return "".join(json.dumps({
        "__REALTIME_TIMESTAMP": str(int(at * 1e6)), "_SYSTEMD_UNIT": f"{unit}.service", "SYSLOG_IDENTIFIER": unit,
        "_PID": str(pid), "PRIORITY": "6", "_HOSTNAME": host, "_TRANSPORT": "stdout", "MESSAGE": line}) + "\n"
        for at, line in timed(text, begin))


def journal_short(text: str, unit: str, host="web-02", pid=812, begin=0.0) -> str:
    """`journalctl -o short-iso`."""
    return "".join(f"{iso(at)[:19]}+0000 {host} {unit}[{pid}]: {line}\n" for at, line in timed(text, begin))


def cloudwatch(text: str, stream: str, begin=0.0) -> str:
    """`aws logs filter-log-events`."""
    events = [{"logStreamName": stream, "timestamp": int(at * 1000), "message": line + "\n",
               "ingestionTime": int(at * 1000) + 1873, "eventId": f"3{int(at * 1000)}{number:041}"}
              for number, (at, line) in enumerate(timed(text, begin))]
    return json.dumps({"events": events, "searchedLogStreams": []}, indent=4) + "\n"


def event(after, name, **more):
    """A line of the app's log: a name and JSON. `after` in seconds from two minutes ago."""
    at = time.time() - 120 + after
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03}Z"
    return f"{stamp} {name} {json.dumps(more)}\n"
