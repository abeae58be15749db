"""What a disk keeps when the power goes: what was synced, and of the rest whatever it had already got round to.

SQLite reaches files through a table of functions. Every file it opens gets a table whose `xSync` first does what it
says and then copies the file as it is to where the disk keeps things; everything else is SQLite's own code on real
files. A cut puts the copies back, with some sectors of what was written since, drawn by seed. The product's own
`sqlite3` is used as it is, so what it syncs, and when, is what is tried.
https://www.sqlite.org/c3ref/vfs.html https://www.sqlite.org/c3ref/io_methods.html
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

SECTOR = 512
OK = 0


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`, up to version 3."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("version", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("xClose", "xRead", "xWrite", "xTruncate", "xSync")),
        ("others", ctypes.c_void_p * 13),
    ]


class _File(ctypes.Structure):
    """`sqlite3_file`: what a VFS adds follows."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs`, up to version 3."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("app_data", ctypes.c_void_p),
        ("xOpen", ctypes.c_void_p),
        ("xDelete", ctypes.c_void_p),
        ("others", ctypes.c_void_p * 14),
    ]


_Open = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,  # a name stays where it is: SQLite keeps the pointer
    ctypes.POINTER(_File),
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_int),
)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_File), ctypes.c_int)


class Disk:
    """The disk under one folder, for SQLite in this process and those forked from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.platter = folder / "platter"  # what is there when the power comes back
        self.syncs = 0
        self.cut_at = 0  # the sync at which the product ends: before it if negative, right after it if positive
        self._ours = os.getpid()
        self._paths: dict[int, str] = {}
        self._tables: dict[int, _Methods] = {}
        self._kept: list[Any] = []  # what C holds pointers to

    # power

    def settle(self) -> None:
        """Let everything reach the platter, as a clean end does."""
        shutil.rmtree(self.platter, ignore_errors=True)
        self.platter.mkdir()
        for path in self._files():
            shutil.copy2(path, self.platter)

    def cut(self, dice: random.Random) -> None:
        """Cut the power: nothing runs any more, and the files are what the platter has."""
        share = dice.choice((0.0, 0.0, 0.1, 0.5, 0.9))
        for path in self._files():
            kept = self.platter / path.name
            if path.name.endswith("-shm"):
                path.unlink()  # only ever a cache
            elif kept.exists():
                path.write_bytes(_mixed(kept.read_bytes(), path.read_bytes(), share, dice))
            else:
                path.unlink()
        for kept in self.platter.iterdir():
            if not (self.folder / kept.name).exists():
                shutil.copy2(kept, self.folder)  # it was deleted, and the directory was not synced

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("escalade.db*"))

    # what SQLite calls

    @contextmanager
    def under_sqlite(self) -> Iterator[None]:
        """Stand under every database that is opened until the block ends."""
        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        below = library.sqlite3_vfs_find(None)
        real_open = ctypes.cast(below.contents.xOpen, _Open)
        real_delete = ctypes.cast(below.contents.xDelete, _Delete)

        def opened(vfs: Any, name: Any, file: Any, flags: int, out: Any) -> int:
            answer = int(real_open(vfs, name, file, flags, out))
            if answer == OK and name and file.contents.methods:
                self._paths[ctypes.addressof(file.contents)] = _text(name)
                file.contents.methods = ctypes.pointer(self._table_for(file.contents.methods))
            return answer

        def deleted(vfs: Any, name: Any, sync: int) -> int:
            answer = int(real_delete(vfs, name, sync))
            if answer == OK and sync:
                (self.platter / Path(_text(name)).name).unlink(missing_ok=True)
            return answer

        vfs = _Vfs()
        ctypes.memmove(ctypes.byref(vfs), below, ctypes.sizeof(_Vfs))
        callbacks = _Open(opened), _Delete(deleted)
        vfs.name = b"platter"
        vfs.xOpen, vfs.xDelete = (ctypes.cast(callback, ctypes.c_void_p) for callback in callbacks)
        self._kept += [vfs, *callbacks]
        library.sqlite3_vfs_register(ctypes.byref(vfs), 1)
        try:
            yield
        finally:
            library.sqlite3_vfs_register(below, 1)
            library.sqlite3_vfs_unregister(ctypes.byref(vfs))

    def _table_for(self, below: Any) -> _Methods:
        address = ctypes.addressof(below.contents)
        if address not in self._tables:
            real_sync = ctypes.cast(below.contents.xSync, _Sync)

            def synced(file: Any, flags: int) -> int:
                self.syncs += 1
                if self.cut_at == -self.syncs:
                    self._die()
                answer = int(real_sync(file, flags))
                if answer == OK:
                    self._reach_platter(Path(self._paths[ctypes.addressof(file.contents)]))
                if self.cut_at == self.syncs:
                    self._die()
                return answer

            table = _Methods()
            ctypes.memmove(ctypes.byref(table), below, ctypes.sizeof(_Methods))
            callback = _Sync(synced)
            table.xSync = ctypes.cast(callback, ctypes.c_void_p)
            self._kept.append(callback)
            self._tables[address] = table
        return self._tables[address]

    def _die(self) -> None:
        if os.getpid() != self._ours:  # an operator's command is run here, and writes to the same disk
            os.kill(os.getpid(), signal.SIGKILL)

    def _reach_platter(self, path: Path) -> None:
        if path.parent != self.folder:
            return
        fresh = self.platter / f"{path.name}.fresh"
        shutil.copyfile(path, fresh)
        fresh.rename(self.platter / path.name)


def _text(name: int) -> str:
    return os.fsdecode(ctypes.string_at(name))


def _mixed(kept: bytes, written: bytes, share: float, dice: random.Random) -> bytes:
    """Give what was synced with some sectors of what was written since."""
    if not share:
        return kept
    whole = bytearray(kept)
    for at in range(0, len(written), SECTOR):
        sector = written[at : at + SECTOR]
        if sector != kept[at : at + SECTOR] and dice.random() < share:
            whole.extend(bytes(max(0, at + len(sector) - len(whole))))
            whole[at : at + len(sector)] = sector
    return bytes(whole)
