"""A kill point between lines: right before the n-th call by which something leaves the process, in C or in Python.

Between two lines of ours SQLite writes pages and syncs, a driver sends half a message, a loop answers a customer. The
kernel tells of each such call before it is done (a seccomp filter with a listener, Linux 5.5); a watcher beside the
product counts, lets it go on, and at the n-th kills the product instead. The product itself knows nothing of it.
https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import platform
import signal
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from torture.crash.life import die_with_parent
from torture.crash.line import when_serving

# By machine: the number of seccomp(2), and those of the calls.
SECCOMP: Mapping[str, int] = {"x86_64": 317, "aarch64": 277}
CALLS: Mapping[str, Mapping[int, str]] = {
    "x86_64": {
        1: "write",
        18: "pwrite64",
        20: "writev",
        44: "sendto",
        46: "sendmsg",
        74: "fsync",
        75: "fdatasync",
        77: "ftruncate",
        82: "rename",
        87: "unlink",
    },
    "aarch64": {
        35: "unlinkat",
        38: "renameat",
        46: "ftruncate",
        64: "write",
        66: "writev",
        68: "pwrite64",
        82: "fsync",
        83: "fdatasync",
        206: "sendto",
        211: "sendmsg",
    },
}
PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER, NEW_LISTENER = 1, 8
ALLOW, TELL = 0x7FFF0000, 0x7FC00000
LOAD, IS, IS_ABOVE, RETURN = 0x20, 0x15, 0x25, 0x06  # of the filter's own little machine
AT_NUMBER, AT_FIRST_ARGUMENT = 0, 16
STANDARD_ERROR = 2  # what is logged leaves nothing behind
RECEIVE, SEND = 0xC0502100, 0xC0182101
NOTE, ANSWER, GO_ON = struct.Struct("QIIi60x"), struct.Struct("QqiI"), 1
SHARED = struct.Struct("II")


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """The `nth` of all the calls."""

    nth: int
    name: str

    def __str__(self) -> str:
        return f"{self.name}#{self.nth}"


class CallKiller:
    """Kills its own process right before a call."""

    def __init__(self, nth: int) -> None:
        self._nth = nth
        self._calls = CALLS[platform.machine()]
        self._shared = mmap.mmap(-1, SHARED.size)  # whether it counts yet, and which call was the last

    def lie_in_wait(self, *, boot: bool) -> None:
        """Have the calls of this process and all its threads counted; without `boot` only once the product serves."""
        if boot:
            self._arm()
        else:
            when_serving(self._arm)
        listener = _listen(self._calls)
        product = os.getpid()
        if os.fork() == 0:  # under the same filter, and so it makes none of these calls
            try:
                die_with_parent()
                os.closerange(STANDARD_ERROR + 1, listener)
                os.closerange(listener + 1, os.sysconf("SC_OPEN_MAX"))
                self._count(listener, product)
            finally:
                os._exit(0)
        os.close(listener)

    def came(self) -> Call | None:
        """Say before which call the process died, if it was here."""
        _, last = SHARED.unpack_from(self._shared)
        return Call(self._nth, self._calls[last - 1]) if last else None

    def _arm(self) -> None:
        SHARED.pack_into(self._shared, 0, 1, 0)

    def _count(self, listener: int, product: int) -> None:
        left = self._nth
        while True:
            note = bytearray(NOTE.size)
            if not _told(listener, RECEIVE, note):
                continue
            id, _, _, number = NOTE.unpack(note)
            armed, _ = SHARED.unpack_from(self._shared)
            left -= armed
            if left == 0:
                SHARED.pack_into(self._shared, 0, 1, number + 1)
                os.kill(product, signal.SIGKILL)
                return
            _told(listener, SEND, bytearray(ANSWER.pack(id, 0, 0, GO_ON)))


def _told(listener: int, what: int, note: bytearray) -> bool:
    """Ask or answer the kernel; say whether the call was still waiting, for a signal may have taken it back."""
    try:
        fcntl.ioctl(listener, what, note)
    except FileNotFoundError:
        return False
    return True


class _Program(ctypes.Structure):
    """`sock_fprog`: a filter, as the kernel takes it."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def _listen(calls: Mapping[int, str]) -> int:
    """Have the kernel tell of these calls before it does them, except into the log; give where it tells."""
    steps = [(LOAD, 0, 0, AT_NUMBER)]
    for place, number in enumerate(calls):
        steps.append((IS, len(calls) - place, 0, number))
    steps += [
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, AT_FIRST_ARGUMENT),
        (IS_ABOVE, 1, 0, STANDARD_ERROR),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, TELL),
    ]
    packed = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = _Program(len(steps), packed)
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener = library.syscall(SECCOMP[platform.machine()], SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(program))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "this kernel does not tell of calls")
    return int(listener)
