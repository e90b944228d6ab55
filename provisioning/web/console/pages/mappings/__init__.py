"""Mappings: whom an identity provider's groups and attributes give which roles; the heart of the console."""

from __future__ import annotations

from provisioning.web.console.pages.mappings import building, changing, listed, second_word
from provisioning.web.console.pages.mappings.page import PAGE

__all__ = ["PAGE", "building", "changing", "listed", "second_word"]
