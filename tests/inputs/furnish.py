"""Make the three organisations and give two of them articles, in one process: `python -m tests.inputs.furnish`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from escalade.admin import create_organisation
from escalade.domain.model import OrganisationId
from escalade.product import open_library
from escalade.settings import load

NAMES = {"A": "Fernhill", "B": "Rivals", "C": "Sealed"}
ARTICLES = Path(__file__).parent / "articles"


async def furnish() -> dict[str, dict[str, str]]:
    """Give each organisation's keys."""
    keys = {letter: create_organisation(name) for letter, name in NAMES.items()}
    async with open_library(load()) as library:
        for folder in ARTICLES.iterdir():
            await library.add(OrganisationId(keys[folder.name]["organisation_id"]), str(folder))
    return keys


if __name__ == "__main__":
    print(json.dumps(asyncio.run(furnish())))
