"""Say what an HTTP answer means for a delivery: done, try later, look first, or a lasting no.

Only a 2xx that carries JSON, or nothing at all, is a success: anything else may come from a proxy that never asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from escalade.channels.http import Request, Response, shown_answer
from escalade.domain.errors import Crowded, DeliveryError, Refused, Retryable, Unaccepted, Uncertain

MINIMUM_WAIT = 1.0
MAXIMUM_WAIT = 900.0
DEFAULT_WAIT = 30.0
CREDENTIAL_WAIT = 60.0  # until an operator has mended the credential; hammering would not help

Json = dict[str, Any]


def read(request: Request, response: Response, *, credential: str) -> Json:
    """Give the answer's JSON object, or raise the verdict that its status calls for."""
    if not 200 <= response.status < 300:
        raise verdict(request, response, credential=credential)
    if not response.body:
        return {}
    kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        found = loads(response.body)
        if isinstance(found, dict):
            return found
    detail = f"the answer {response.status} is not the JSON object it should be"
    raise _doubt(request, response, detail)


def loads(body: bytes) -> object:
    """Read someone's answer; nothing where it is not JSON. Characters that cannot be stored are replaced."""
    try:
        return _storable(msgspec.json.decode(body)) if b"\\u0000" in body else msgspec.json.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return None


def verdict(request: Request, response: Response, *, credential: str) -> DeliveryError:
    """Sort a refusal by who must act next."""
    status, answer = response.status, shown_answer(request, response)
    said = sentence(response) or "no reason given"
    detail = f"{status}: {said}"
    match status:
        case 401 | 402 | 403:
            return Unaccepted(
                f"{credential} is not accepted ({detail})", after=CREDENTIAL_WAIT, **_kept(status, answer)
            )
        case 429:
            kind = Crowded if _account_has_room(response) else Retryable
            return kind(f"asked to slow down ({detail})", after=wait(response), **_kept(status, answer))
        case 409:
            return Retryable(f"it was changed at the same moment ({detail})", **_kept(status, answer))
        case _ if 300 <= status < 400:
            # We follow no redirects; an address that answers with one is set up wrongly, or is a sign-in page.
            return Retryable(f"answered with a redirect ({status})", after=CREDENTIAL_WAIT, **_kept(status, answer))
        case 408 | 425:
            return _doubt(request, response, detail)
        case _ if 400 <= status < 500:
            return Refused(detail, status=status, answer=answer)
        case _:
            return _doubt(request, response, detail)


def wait(response: Response) -> float:
    """Read `Retry-After`, in seconds or as a date, within reason; a date is held against the sender's own `Date`."""
    given = (response.header("retry-after") or "").strip()
    seconds = DEFAULT_WAIT
    if given.isascii() and given.isdigit():
        seconds = float(given[:9])
    elif given:
        with suppress(ValueError, OverflowError):
            seconds = _instant(given) - _instant((response.header("date") or "").strip())
    return min(max(seconds, MINIMUM_WAIT), MAXIMUM_WAIT)


def _account_has_room(response: Response) -> bool:
    """Say whether calls are left to the account as a whole: then what is used up is a limit of this one thing.

    A ticket takes 30 updates in ten minutes, whatever else is asked of its account.
    https://developer.zendesk.com/api-reference/introduction/rate-limits/
    """
    left = response.header("x-rate-limit-remaining") or response.header("ratelimit-remaining") or ""
    return left.isascii() and left.isdigit() and int(left[:9]) > 0


def _instant(date: str) -> float:
    at = parsedate_to_datetime(date)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def sentence(response: Response) -> str:
    """Find the reason in an answer, in the receiver's own words; both APIs have several shapes for it."""
    found = loads(response.body)
    if not isinstance(found, dict):
        return ""
    said: list[object] = []
    error = found.get("error")
    if isinstance(error, dict):
        said += [error.get("title", ""), error.get("message", "")]
    else:
        said += [error, found.get("error_description", ""), found.get("description", "")]
    details = found.get("details")
    for problems in details.values() if isinstance(details, dict) else ():
        said += [item.get("description", "") for item in problems if isinstance(item, dict)]
    errors = found.get("errors")
    for problem in errors if isinstance(errors, list) else ():
        if isinstance(problem, dict):
            said += [problem.get("code", ""), problem.get("title", "")]
    return ": ".join(part[:200] for part in said if isinstance(part, str) and part)[:400]


def has_error(error: DeliveryError, code: str) -> bool:
    """Say whether a refusal carries a certain code of the receiver's."""
    return f'"{code}"' in error.answer


def _doubt(request: Request, response: Response, detail: str) -> DeliveryError:
    """Judge an answer that says too little: a question can be asked again, an order may have been carried out."""
    kept = _kept(response.status, shown_answer(request, response))
    if request.is_safe:
        return Retryable(detail, after=wait(response) if response.header("retry-after") else None, **kept)
    return Uncertain(detail, **kept)


def _kept(status: int, answer: str) -> Mapping[str, Any]:
    return {"status": status, "answer": answer}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
