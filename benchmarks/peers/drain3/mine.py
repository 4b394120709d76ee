"""Drain3 alone: messages of two files (known, asked) in, CPU seconds for the asked ones out, new and once more.

Runs in an environment of its own, since drain3 pins versions that Prefect cannot live with.
"""

import json
import logging
import sys
import time
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

BEFORE, AFTER = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
MASKS = [  # as in the example configuration that comes with Drain3
    (rf"{BEFORE}(([0-9a-f]{{2,}}:){{3,}}([0-9a-f]{{2,}})){AFTER}", "ID"),
    (rf"{BEFORE}(\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}){AFTER}", "IP"),
    (rf"{BEFORE}([0-9a-f]{{6,}} ?){{3,}}{AFTER}", "SEQ"),
    (rf"{BEFORE}([0-9A-F]{{4}} ?){{4,}}{AFTER}", "SEQ"),
    (rf"{BEFORE}(0x[a-f0-9A-F]+){AFTER}", "HEX"),
    (rf"{BEFORE}([\-\+]?\d+){AFTER}", "NUM"),
]


def main() -> None:
    logging.disable(logging.INFO)
    known, asked = (Path(name).read_text().split("\n") for name in sys.argv[1:3])
    config = TemplateMinerConfig()
    if sys.argv[3] == "masks":
        config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    miner = TemplateMiner(config=config)
    for message in known:
        miner.add_log_message(message)
    seconds = []
    for _ in range(2):
        start = time.process_time()
        for message in asked:
            miner.add_log_message(message)
        seconds.append(time.process_time() - start)
    print(json.dumps({"new": seconds[0], "again": seconds[1], "templates": len(miner.drain.clusters)}))


if __name__ == "__main__":
    main()
