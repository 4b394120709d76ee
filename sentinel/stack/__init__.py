"""The whole stack as children of one process: settings in, everything up until a signal comes, nothing left behind."""

from sentinel.stack.up import up

__all__ = ["up"]
