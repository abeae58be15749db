"""The routes of what is kept about a customer."""

# Annotations are evaluated here and now: the routes name types that exist only inside `routes`.

from typing import Annotated

from fastapi import APIRouter, Depends

from escalade.domain.model import CustomerId, OrganisationId
from escalade.services.customers import Customers, Erasure, Export
from escalade.web.api.requests import Entrance, StrictRoute


def routes(caller: Entrance, customers: Customers) -> APIRouter:
    """Give the routes of customers."""
    router = APIRouter(route_class=StrictRoute)
    Caller = Annotated[OrganisationId, Depends(caller)]  # noqa: N806 - a type

    @router.get("/customers/{id}/export", tags=["customers"])
    async def export(caller: Caller, id: str) -> Export:
        """Give everything that is kept about a customer, and name what Zendesk has."""
        return await customers.export(caller, CustomerId(id), "api")

    @router.delete("/customers/{id}", tags=["customers"])
    async def erase(caller: Caller, id: str) -> Erasure:
        """Take away everything that is kept about a customer; name what is left to do in Zendesk."""
        return await customers.erase(caller, CustomerId(id), "api")

    return router
