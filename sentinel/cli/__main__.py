"""`python -m sentinel.cli`, the same command."""

import sys

from sentinel.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
