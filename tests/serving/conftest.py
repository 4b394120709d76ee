"""What the server's tests share: the way to the process helper."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # the helper is imported as tests.serving, also where pytest was started elsewhere
