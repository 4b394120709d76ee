"""The shim's side: build it, run a process under it, and read the trace it wrote."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Operation", "build_shim", "compiler", "read_trace", "shim_environment"]

HEAD = struct.Struct("<cQHHI")
SOURCE = Path(__file__).with_name("shim.c")


@dataclass(frozen=True, slots=True)
class Operation:
    """One call that changed a file under the root, or an acknowledgement.

    Kinds: Create, Write, Truncate, Sync, Directory sync, Rename, Unlink, Make dir, remove dir (X), Ack in a file,
    Question and Answer over HTTP (Q, H).
    """

    kind: str
    offset: int
    path: str
    other: str
    data: bytes


def compiler() -> str | None:
    """A C compiler, if this machine has one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build_shim(folder: Path) -> Path:
    """Compile the shim into `folder` and return it. Raises FileNotFoundError where there is no C compiler."""
    found = compiler()
    if found is None:
        raise FileNotFoundError("no C compiler (cc, gcc or clang) to build the shim with")
    library = folder / "shim.so"
    command: Sequence[str] = [found, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def shim_environment(
    library: Path, root: Path, *, trace: Path | None = None, control: Path | None = None
) -> dict[str, str]:
    """What a process needs in its environment to run under the shim."""
    found = {"LD_PRELOAD": str(library), "FAULT_ROOT": os.path.realpath(root)}
    if trace is not None:
        found["FAULT_TRACE"] = str(trace)
    if control is not None:
        found["FAULT_CONTROL"] = str(control)
    return found


def read_trace(path: Path) -> Iterator[Operation]:
    """The operations of a trace, in order."""
    data = path.read_bytes()
    position = 0
    while position < len(data):
        kind, offset, first, second, count = HEAD.unpack_from(data, position)
        position += HEAD.size
        name = data[position : position + first].decode(errors="surrogateescape")
        position += first
        other = data[position : position + second].decode(errors="surrogateescape")
        position += second
        yield Operation(kind.decode(), offset, name, other, data[position : position + count])
        position += count
