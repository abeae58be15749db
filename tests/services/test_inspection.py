"""A file somebody sent is judged in a process of its own, unless its name alone rules it out."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from escalade import child
from escalade.domain.errors import Invalid
from escalade.services import inspection
from escalade.services.inspection import Inspector
from escalade.services.scrutiny import look
from tests import pictures

DIES_WRITING = """
import os, signal, sys
sys.stdin.buffer.read()
sys.stdout.buffer.write(b'{"media_type": "image/png"}\\n\\x89PNG')
sys.stdout.buffer.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("name", "content"), [("run.exe", b"MZ"), ("note", b"It hums."), ("note.txt", b"")])
async def test_what_its_name_or_its_emptiness_rules_out_costs_no_process(name: str, content: bytes) -> None:
    nobody = Inspector(asyncio.to_thread, at_once=0)  # a file that needed a process would wait for ever
    async with asyncio.timeout(60):
        with pytest.raises(Invalid):
            await nobody(name, content)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("name", "content"), [("note.txt", b"It hums."), ("photo.jpg", pictures.photograph()), ("a.docx", pictures.docx())]
)
async def test_the_process_says_what_was_said_here(name: str, content: bytes) -> None:
    assert await Inspector(asyncio.to_thread)(name, content) == look(name, content)


@pytest.mark.processes
async def test_the_process_refuses_what_is_not_what_it_says() -> None:
    with pytest.raises(Invalid, match=r"not what a \.png file holds"):
        await Inspector(asyncio.to_thread)("photo.png", b"<svg>")


@pytest.mark.processes
def test_nothing_of_ours_runs_between_the_fork_and_the_program() -> None:
    """It would run in a copy of a process full of threads, whose locks nobody gives back; the loop waited for it."""
    program = """
import asyncio, os, uvloop
from escalade.services.inspection import Inspector
os.register_at_fork(after_in_child=lambda: os._exit(77))
print(uvloop.run(Inspector(asyncio.to_thread)("note.txt", b"It hums.")).media_type)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("text/plain\n", 0), done.stderr


@pytest.mark.processes
async def test_a_file_nobody_waits_for_any_more_keeps_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[subprocess.Popen[bytes]] = []
    answer = child.answer

    def noted(process: subprocess.Popen[bytes], question: bytes, seconds: float) -> bytes:
        asked.append(process)
        return answer(process, question, seconds)

    monkeypatch.setattr(child, "answer", noted)
    looking = asyncio.create_task(Inspector(asyncio.to_thread)("photo.png", pictures.png(4000, 4000)))
    async with asyncio.timeout(60):
        while not asked:
            await asyncio.sleep(0.01)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        assert await asyncio.to_thread(asked[0].wait) == -signal.SIGKILL


@pytest.mark.processes
async def test_a_picture_cut_off_in_the_middle_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The process may be ended while it writes what it made."""
    (tmp_path / "dies_writing.py").write_text(DIES_WRITING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(inspection, "COMMAND", ("-m", "dies_writing"))
    with pytest.raises(Invalid, match="could not be read"):
        await Inspector(asyncio.to_thread)("photo.png", pictures.png())
