"""What is uploaded to Zendesk: whole, the same each time, and without anything secret."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from escalade.admin import create_organisation
from escalade.cli.zendesk import zendesk_app
from escalade.domain.errors import ConfigError, Invalid
from escalade.zendesk_app import package

SECRET = re.compile(r"secret|token|password|bearer|api.?key|BEGIN|ek_|wt_", re.IGNORECASE)


def opened(public_url: str = "https://bot.example.com/") -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package(public_url, "org_1"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_package_is_what_zendesk_asks_for() -> None:
    files = opened()
    manifest = json.loads(files["manifest.json"])
    place = manifest["location"]["support"]["ticket_sidebar"]
    assert place == {"url": "https://bot.example.com/zendesk/app/org_1", "flexible": True}
    assert manifest["signedUrls"] is True
    assert manifest["frameworkVersion"] == "2.0"
    assert manifest["domainWhitelist"] == ["bot.example.com"]
    assert set(json.loads(files["translations/en.json"])["app"]) >= {"name", "short_description", "long_description"}
    for name, size in (("logo", 320), ("logo-small", 128)):
        assert Image.open(io.BytesIO(files[f"assets/{name}.png"])).size == (size, size)


def test_z04_the_package_has_no_secret_and_asks_for_none() -> None:
    files = opened()
    assert json.loads(files["manifest.json"])["parameters"] == []
    for name, content in files.items():
        if not name.endswith(".png"):
            assert not SECRET.search(content.decode()), name
    assert not [name for name in files if name.endswith((".js", ".html"))], "there is no code of ours in Zendesk"


def test_the_same_settings_give_the_same_bytes() -> None:
    assert package("https://bot.example.com", "org_1") == package("https://bot.example.com", "org_1")


def test_zendesk_frames_no_page_without_tls() -> None:
    with pytest.raises(ConfigError, match="https"):
        package("http://bot.example.com", "org_1")
    assert opened("http://127.0.0.1:8700")


def test_a_place_that_takes_no_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCALADE_ENV", "development")
    monkeypatch.setenv("ESCALADE_DATABASE_URL", f"sqlite:///{tmp_path}/escalade.db")
    create_organisation("Acme")
    with pytest.raises(Invalid, match=r"--output .*/none/app\.zip cannot be written"):
        zendesk_app("Acme", tmp_path / "none" / "app.zip")
