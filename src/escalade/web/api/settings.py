"""The routes of the settings tree."""

# Annotations are evaluated here and now: the routes name types that exist only inside `routes`.

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import WithJsonSchema

from escalade.domain.model import OrganisationId
from escalade.services.tuning import Tuning
from escalade.web.api.requests import Entrance, StrictRoute

# The tree is what is kept and what is said of secrets: `description` puts its shapes together from both.
TREE_OUT: dict[str, Any] = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Settings"}}}}
Change = Annotated[dict[str, Any], WithJsonSchema({"$ref": "#/components/schemas/SettingsChange"})]


def routes(caller: Entrance, tuning: Tuning) -> APIRouter:
    """Give the routes of the settings."""
    router = APIRouter(route_class=StrictRoute)
    Caller = Annotated[OrganisationId, Depends(caller)]  # noqa: N806 - a type

    @router.get("/settings", tags=["settings"], response_model=None, responses={200: TREE_OUT})
    async def read_settings(caller: Caller) -> dict[str, Any]:
        """Read the settings tree; secrets read back as whether they are set."""
        return await tuning.read(caller)

    @router.patch("/settings", tags=["settings"], response_model=None, responses={200: TREE_OUT})
    async def change_settings(caller: Caller, patch: Change) -> dict[str, Any]:
        """Change any part of the settings tree, whole or not at all."""
        return await tuning.change(caller, patch, "api")

    return router
