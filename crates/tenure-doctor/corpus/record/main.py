"""Records the corpus again: `python3 main.py [CASE or PREFIX…]`; `--list` names the cases.

`--setup` first installs what that needs (`needs.py`); `--to FOLDER` writes the cases elsewhere than to `../cases`.
"""

import argparse
import importlib
import os
import sys
import traceback
from pathlib import Path

# Nothing is to be left beside the scripts.
sys.dont_write_bytecode = True

import needs  # noqa: E402

HERE = needs.HERE
PYTHON = HERE / ".venv/bin/python"
SUBJECTS = ["applications", "aws", "documents", "edges", "issuers", "sessions"]


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("names", nargs="*", metavar="CASE or PREFIX")
    asked.add_argument("--list", action="store_true", help="name the cases and their causes")
    asked.add_argument("--setup", action="store_true", help="install what recording needs")
    asked.add_argument("--to", type=Path, default=HERE.parent / "cases", metavar="FOLDER")
    given = asked.parse_args()
    if given.setup:
        return needs.install()
    if lacking := needs.missing():
        print("missing: " + ", ".join(lacking) + "\nrun main.py --setup", file=sys.stderr)
        return 1
    if not sys.executable.startswith(str(PYTHON.parent)):
        os.execv(PYTHON, [PYTHON, *sys.argv])
    return record(given)


def record(given) -> int:
    from lab.common import RECORDINGS, run

    for subject in SUBJECTS:
        for path in sorted((HERE / subject).glob("*.py")):
            importlib.import_module(f"{subject}.{path.stem}")
    if given.list:
        print("\n".join(f"{id}\t{' '.join(found.expected)}" for id, found in RECORDINGS.items()))
        return 0
    chosen = [found for id, found in RECORDINGS.items()
              if not given.names or any(id == name or id.startswith(f"{name}-") for name in given.names)]
    failed = 0
    for recording in chosen:
        try:
            run(recording, given.to)
            print(f"{recording.id}: recorded", flush=True)
        except Exception:
            failed += 1
            print(f"{recording.id}: FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(chosen) - failed} recorded, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
