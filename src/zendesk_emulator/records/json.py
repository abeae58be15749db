"""What a body is made of."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
