"""The page: what is wrong now, what was seen, what was learnt, how everything is; it changes things by the API."""

from serving.page.login import ask_key
from serving.page.routes import PAGES, router

__all__ = ["PAGES", "ask_key", "router"]
