"""Sets cases apart for measuring, before anybody who writes rules sees them.

`cases/` holds what was recorded since the last time. Of each family the half with the smallest SHA-256 of
the id, so that nobody chooses, goes to measuring.jsonl.gz, which only the measuring command opens, and
their hashes to measuring.sha256. The rest goes to open/, one file each, and so does what was in
measuring.jsonl.gz before: it has been measured, and nothing can be measured twice.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from pathlib import Path

CORPUS = Path(__file__).parent
MEASURING = CORPUS / "measuring.jsonl.gz"


def main() -> None:
    opened = [json.loads(line) for line in gzip.decompress(MEASURING.read_bytes()).splitlines()]
    families = defaultdict(list)
    for file in sorted((CORPUS / "cases").glob("*.json")):
        case = json.loads(file.read_text())
        assert file.stem == case["id"], file
        families[case["family"]].append(case)
    kept = []
    for name, cases in sorted(families.items()):
        cases.sort(key=lambda case: hashlib.sha256(case["id"].encode()).hexdigest())
        half = (len(cases) + 1) // 2
        kept += cases[:half]
        opened += cases[half:]
        print(f"{name:10} {len(cases):4} new cases, {half:3} for measuring")
    for case in opened:
        (CORPUS / "open" / f"{case['id']}.json").write_text(json.dumps(case, indent=1) + "\n")
    lines = [json.dumps(case, sort_keys=True) + "\n" for case in kept]
    MEASURING.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    hashes = [f"{hashlib.sha256(line.encode()).hexdigest()}  {case['id']}\n" for line, case in zip(lines, kept)]
    (CORPUS / "measuring.sha256").write_text("".join(hashes))
    print(f"{len(list((CORPUS / 'open').glob('*.json')))} open, {len(kept)} for measuring")


if __name__ == "__main__":
    main()
