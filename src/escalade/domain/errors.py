"""What can go wrong, by who must act.

EscaladeError
├── ConfigError        the deployer: fix the settings; we do not start
├── Rejected           the caller
│   ├── Unverified       secret, signature or age is wrong
│   ├── Malformed        genuine, but not readable
│   ├── Invalid          readable, but not acceptable
│   ├── NotFound         no such thing, or not theirs
│   └── Conflict         the same id with other content, or a closed conversation
├── DeliveryError      one attempt failed
│   ├── Retryable        try later; `after` if they told us when
│   │   ├── TooLarge         the answer is more than we take; ask for less of it
│   │   ├── Crowded          one thing is asked for too often, such as one ticket; the account as a whole is not
│   │   └── Unaccepted       they do not let us in; an operator must mend the credential
│   ├── Uncertain        it may have arrived; look before sending again
│   └── Refused          they said no and will keep saying no
└── Unavailable        our own store cannot take it now; the caller repeats
"""

from __future__ import annotations


class EscaladeError(Exception):
    """Be the root of everything this product raises on purpose."""


class ConfigError(EscaladeError):
    """Say what a deployer must change before the service can start."""


class Rejected(EscaladeError):
    """Say no to a caller; `pointer` names the JSON field where one is to blame."""

    def __init__(self, detail: str, *, pointer: str = "", code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.code = code


class Unverified(Rejected):
    """Refuse a secret, signature or age that is wrong."""


class Malformed(Rejected):
    """Refuse bytes that are genuine but not readable."""


class Invalid(Rejected):
    """Refuse content that is readable but not acceptable."""


class NotFound(Rejected):
    """Answer alike for what does not exist and for what belongs to someone else."""


class Conflict(Rejected):
    """Refuse the same id with other content, or a message into a closed conversation."""


class Unavailable(EscaladeError):
    """Say that nothing was taken because the store cannot take it now."""


class DeliveryError(EscaladeError):
    """Say why one attempt failed; `status` and `answer` are the receiver's, for the ledger."""

    def __init__(self, detail: str, *, status: int | None = None, answer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.answer = answer


class Retryable(DeliveryError):
    """Ask for a later try; `after` is in seconds when the receiver said when."""

    def __init__(self, detail: str, *, after: float | None = None, status: int | None = None, answer: str = "") -> None:
        super().__init__(detail, status=status, answer=answer)
        self.after = after


class TooLarge(Retryable):
    """Say that an answer was more than we take, so that it is asked for in smaller pieces where that can be done."""


class Crowded(Retryable):
    """Say that one thing is asked for too often, while the account may be asked for others."""


class Unaccepted(Retryable):
    """Say that our credential is not accepted: it works again once an operator has mended it."""


class Uncertain(DeliveryError):
    """Admit that the request may have taken effect."""


class Refused(DeliveryError):
    """Report a no that will stay a no."""


class Gone(Refused):
    """Report that its place takes nothing more: a ticket that is closed or deleted, a chat that is full or deleted."""
