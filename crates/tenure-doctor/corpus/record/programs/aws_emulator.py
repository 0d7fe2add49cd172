"""PyPI `ministack` with a clock that can be moved and host names as AWS has them.

    python aws_emulator.py FILE      FILE holds the seconds by which its clock is off

Its names resolve nowhere: whoever calls it connects to 127.0.0.1 and says the name in `Host`.
"""

import sys
import time
from pathlib import Path

offset = Path(sys.argv[1])
real = time.time
time.time = lambda: real() + float(offset.read_text())
sys.argv = sys.argv[:1]

from ministack import app  # noqa: E402: only after the clock
from ministack.services import apigateway  # noqa: E402

# It fetches keys from itself.
apigateway._HOST = "127.0.0.1"
app.main()
