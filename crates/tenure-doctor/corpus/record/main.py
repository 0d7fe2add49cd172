"""Records the corpus again: `python3 main.py [CASE or PREFIX…]`; `--list` names the cases.

Runs in the environment of `cargo xtask setup`, whichever Python it is started with.
"""

import importlib
import os
import sys
import traceback

from common import HERE, RECORDINGS, REPOSITORY, run

PYTHON = REPOSITORY / "crates/tenure-lab/foreign/.venv/bin/python"


def main(names: list[str]) -> int:
    if not sys.executable.startswith(str(PYTHON.parent)):
        os.execv(PYTHON, [PYTHON, *sys.argv])
    sys.dont_write_bytecode = True
    for path in sorted(HERE.glob("*.py")):
        # The others are shared, or are programs that a lab starts.
        if "\n@case(" in path.read_text():
            importlib.import_module(path.stem)
    if names == ["--list"]:
        print("\n".join(f"{id}\t{' '.join(found.expected)}" for id, found in RECORDINGS.items()))
        return 0
    chosen = [found for id, found in RECORDINGS.items()
              if not names or any(id == name or id.startswith(f"{name}-") for name in names)]
    failed = 0
    for recording in chosen:
        try:
            run(recording)
            print(f"{recording.id}: recorded", flush=True)
        except Exception:
            failed += 1
            print(f"{recording.id}: FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(chosen) - failed} recorded, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
