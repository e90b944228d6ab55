"""What a page of the console is, to the navigation and to the door that registers it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a workspace, with all that lies below it.

    Args:
        title: as the navigation calls it.
        action: what its first view takes; who may not do that isn't shown the page.
        blueprint: its views; the first is called `index`.
        path: below the workspace's address; empty for the workspace's first page.
    """

    title: str
    action: str
    blueprint: Blueprint
    path: str

    @property
    def endpoint(self) -> str:
        """The name of its first view."""
        return f"console.{self.blueprint.name}.index"
