"""An installed app."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An installed app that stands beside tickets; its keys are PEM."""

    id: int  # of the installation
    app_id: int
    name: str
    url: str
    signed: bool
    private_key: str
    public_key: str
