"""The one place that knows numba: the decorator of every kernel, and the names of the array types they take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from sentinel.detect.kernel.cache_key import cache_key
from sentinel.detect.tuning.tried import tried_of

__all__ = ["Booleans", "Bytes", "Floats", "Hashes", "Indices", "Integers", "Singles", "compiled"]

Bytes = npt.NDArray[np.uint8]
Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Hashes = npt.NDArray[np.uint64]


_ROOM = Path(__file__).parents[1]

KEPT, TRIED = "kernels", "tried"
"""Folders of machine code begin so; those of numbers that are only tried are thrown away after the run."""

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile a kernel, keep the machine code beside the source, and let other threads run meanwhile.

    Numba checks only the file a kernel stands in, not those it imports nor the words they hold: so each state of these
    has a folder. No fast math: the same row gives the same bits alone, in a batch, and after a restart. With
    NUMBA_DISABLE_JIT=1 the decorated function is the plain Python one.
    """
    file = Path(function.__code__.co_filename)
    folder = f"{TRIED if tried_of() else KEPT}-{file.stem}-{cache_key(_ROOM, file)}"
    numba.config.CACHE_DIR = str(_ROOM / "__pycache__" / folder)  # type: ignore[attr-defined]  # set at run time
    return cast("Kernel", numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function))  # type: ignore[call-overload]
