"""Sets a third of the cases apart for measuring, before any rule is written.

Chosen by the SHA-256 of the case's id, the smallest third of each family, so that nobody chooses. The rest
goes to open/, one file each; the chosen go to measuring.jsonl.gz, which only the measuring command opens,
and their hashes to measuring.sha256.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from pathlib import Path

CORPUS = Path(__file__).parent


def main() -> None:
    families = defaultdict(list)
    for file in sorted((CORPUS / "cases").glob("*.json")):
        case = json.loads(file.read_text())
        assert file.stem == case["id"], file
        families[case["family"]].append(case)
    kept, opened = [], []
    for name, cases in sorted(families.items()):
        cases.sort(key=lambda case: hashlib.sha256(case["id"].encode()).hexdigest())
        third = (len(cases) + 2) // 3
        kept += cases[:third]
        opened += cases[third:]
        print(f"{name:10} {len(cases):4} cases, {third:3} for measuring")
    (CORPUS / "open").mkdir(exist_ok=True)
    for case in opened:
        (CORPUS / "open" / f"{case['id']}.json").write_text(json.dumps(case, indent=1) + "\n")
    lines = [json.dumps(case, sort_keys=True) + "\n" for case in kept]
    (CORPUS / "measuring.jsonl.gz").write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    hashes = [f"{hashlib.sha256(line.encode()).hexdigest()}  {case['id']}\n" for line, case in zip(lines, kept)]
    (CORPUS / "measuring.sha256").write_text("".join(hashes))
    print(f"{len(opened)} open, {len(kept)} for measuring")


if __name__ == "__main__":
    main()
