"""The product on a temporary database behind a real port, an emulator beside it, and operators who sign in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from pydantic import SecretStr

from escalade.app import App
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation
from escalade.product import Product
from escalade.services.ports import Ports
from escalade.settings import Settings
from escalade.store import operators, organisations
from escalade.store.database import Tx
from escalade.store.writer import GroupedWrites
from tests.serving import served
from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import production

T = TypeVar("T")
KEY = "a-key-of-more-than-thirty-two-characters"


@dataclass
class Browser:
    """A browser without a screen: keeps cookies, follows nothing, sends the forms a page shows."""

    base_url: str
    client: httpx2.Client
    page: str = ""

    def get(self, path: str) -> httpx2.Response:
        answer = self.client.get(path)
        self.page = answer.text
        return answer

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.page)
        assert found is not None
        return found[1]

    def post(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> httpx2.Response:
        sent = {"csrf": self.csrf(), **(form or {})}
        answer = self.client.post(path, data=sent, headers={"origin": self.base_url, **headers})
        if answer.headers["content-type"].startswith("text/html") if answer.content else False:
            self.page = answer.text
        return answer

    def done(self, path: str, form: Mapping[str, str] | None = None) -> str:
        """Send a form that is accepted, and give the page it leads to."""
        answer = self.post(path, form)
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"]).text


@dataclass
class Stage:
    """A running product with one organisation, and an emulator."""

    product: Product
    base_url: str
    emulator: Emulator
    zendesk: str
    organisation: OrganisationId
    api_key: str
    webhook_token: str
    clients: list[httpx2.Client] = field(default_factory=list)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run work on the product's own writer."""
        database = self.product.database
        assert isinstance(database, GroupedWrites)
        assert database._loop is not None
        return asyncio.run_coroutine_threadsafe(database.write(work), database._loop).result(10)

    def link(self, email: str = "olga@example.com", role: str = "owner", organisation: str | None = None) -> str:
        """Make a one-time link, as `escalade operator add` does."""
        ports, token = self.product.ports, self.product.ports.new_token()
        home = OrganisationId(organisation or self.organisation)

        def written(tx: Tx) -> None:
            person = operators.Operator(id=f"op_{ports.new_id()}", organisation=home, email=email, role=role)
            person = operators.add(tx, person, ports.now())
            operators.add_link(tx, person.id, token, ports.now() + 60_000)

        self.write(written)
        return token

    def browser(self) -> Browser:
        client = httpx2.Client(base_url=self.base_url, follow_redirects=False, timeout=30)
        self.clients.append(client)
        return Browser(base_url=self.base_url, client=client)

    def signed_in(
        self, role: str = "owner", email: str = "olga@example.com", organisation: str | None = None
    ) -> Browser:
        browser = self.browser()
        token = self.link(email, role, organisation)
        answer = browser.client.post("/console/sign-in", data={"token": token}, headers={"origin": self.base_url})
        assert answer.status_code == 303, answer.text
        browser.get("/console")
        return browser

    def another_organisation(self, name: str = "Other") -> tuple[OrganisationId, str]:
        id, key = OrganisationId(f"org_{self.product.ports.new_id()}"), f"ek_{self.product.ports.new_token()}"

        def written(tx: Tx) -> None:
            organisations.create(tx, Organisation(id=id, name=name, widget_key=f"pk_{id}"), 0)
            organisations.add_token(tx, id, "api", key, 0)

        self.write(written)
        return id, key

    def api(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx2.Response:
        headers = {"authorization": f"Bearer {key or self.api_key}"}
        return httpx2.request(method, f"{self.base_url}/api/v1{path}", json=body, headers=headers, timeout=30)

    def hook(self, body: Any, token: str | None = None) -> httpx2.Response:
        headers = {
            "authorization": f"Bearer {token or self.webhook_token}",
            "fv-organisation-id": self.organisation,
        }
        path = "/ai-agent/escalation/webhooks/zendesk/all"
        return httpx2.post(f"{self.base_url}{path}", json=body, headers=headers, timeout=30)

    def connect(self) -> None:
        """Connect to the emulator, with everything else as at the start."""
        seed = self.emulator.seed
        auth = {"type": "client_credentials", "client_id": seed.oauth_client_id}
        auth["client_secret"] = seed.oauth_client_secret
        tickets: dict[str, Any] = {"assignee_id": None, "group_id": None, "priority": None, "custom_fields": {}}
        patch = {
            "zendesk": {"subdomain": "acme", "base_url": self.zendesk, "auth": auth},
            "tickets": tickets,
            "live": {"enabled": False},
        }
        assert self.api("PATCH", "/settings", patch).status_code == 200

    def conversation(self, *said: str, customer: Mapping[str, str] | None = None, key: str | None = None) -> str:
        """Open a conversation and say something in it."""
        given = customer or {"name": "Mara Okafor", "email": "mara@example.com"}
        id = str(self.api("POST", "/conversations", {"customer": given}, key).json()["id"])
        for text in said:
            answer = self.api("POST", f"/conversations/{id}/messages", {"text": text}, key)
            assert answer.status_code == 201, answer.text
        return id


@contextmanager
def stage(directory: Path, *, public_url: str = "", env: str = "development") -> Iterator[Stage]:
    """Run a product and an emulator until the block ends."""
    made: dict[str, Any] = {}

    def emulated(base_url: str) -> Any:
        made["emulator"] = Emulator(production(), base_url=base_url)
        return build(made["emulator"])

    def product(base_url: str) -> Any:
        settings = Settings(
            env=env,  # type: ignore[arg-type]
            database_url=f"sqlite:///{directory / 'console.db'}",
            secret_key=SecretStr(KEY),
            public_url=public_url or base_url,
            unsure_wait_s=1,
        )
        made["product"] = Product(settings, Ports())
        return App(made["product"])

    with served(emulated) as zendesk, served(product) as base_url:
        found = _furnished(made["product"], base_url, made["emulator"], zendesk)
        try:
            yield found
        finally:
            for client in found.clients:
                client.close()


def _furnished(product: Product, base_url: str, emulator: Emulator, zendesk: str) -> Stage:
    id = OrganisationId("org_acme")
    found = Stage(
        product=product,
        base_url=base_url,
        emulator=emulator,
        zendesk=zendesk,
        organisation=id,
        api_key="ek_of-the-test",
        webhook_token="wt_of-the-test",
    )

    def written(tx: Tx) -> None:
        now = product.ports.now()
        organisations.create(tx, Organisation(id=id, name="Acme Outdoors", widget_key="pk_acme"), now)
        organisations.add_token(tx, id, "api", found.api_key, now)
        organisations.add_token(tx, id, "webhook", found.webhook_token, now)

    found.write(written)
    return found
