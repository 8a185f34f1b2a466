"""Everything that can go wrong, in one tree.

FraudError
├── InputError              the caller's file, row, option or body is wrong; says what, where and what to do
│   ├── PolicyError         a policy pack does not hold together
│   └── ProfileError        a program's profile or an application cannot be read
├── NotFound                the thing that was named is not here
├── Conflict                the thing is in a state that forbids this
├── Unauthorised            no key, or not a key we know
├── Forbidden               a known key whose role does not reach this far
├── TooMany                 asked more often than is allowed; says when to ask again
├── ReplayError             a stored decision cannot be recomputed, and why
├── ModelError              a model file is missing, altered, or made for other features
├── TrackerError            a tracker's API refused, failed, or answered something that is not understood
│   └── Unsupported         a tracker's API has no call for what was asked
└── StorageError            the database, the lake or the evidence store failed

Each carries a stable `code` (CONTRACT 4), the HTTP `status` it becomes and the `exit_code` of the command line. A crawler's own errors
stand in `crawlers.errors`: the web's failures are facts about the web, not errors of ours.
"""

from __future__ import annotations


class FraudError(Exception):
    """The root. `message` is one clear sentence for a person: what happened, to what, and what to do next."""

    code = "internal"
    status = 500
    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InputError(FraudError):
    """The input is wrong; nothing was kept of the part that is."""

    code = "invalid_input"
    status = 422


class PolicyError(InputError):
    """A policy pack is incomplete, contradicts itself, or names a check that does not exist."""

    code = "invalid_policy"


class ProfileError(InputError):
    """A program's profile or an application has a field that cannot be understood."""

    code = "invalid_profile"


class NotFound(FraudError):
    """What was named does not exist in this program."""

    code = "not_found"
    status = 404


class Conflict(FraudError):
    """The thing is in a state that forbids the step."""

    code = "conflict"
    status = 409


class Unauthorised(FraudError):
    """No key was given, or one that is not known."""

    code = "unauthorised"
    status = 401


class Forbidden(FraudError):
    """The key is known, but its role or its programs do not reach this far."""

    code = "forbidden"
    status = 403


class TooMany(FraudError):
    """Asked more often than is allowed; `wait_seconds` says in how long it may be asked again."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class ReplayError(FraudError):
    """A stored decision cannot be recomputed: data erased, model gone, or the answer differs."""

    code = "replay_failed"
    status = 409


class ModelError(FraudError):
    """A model file is missing, does not match its manifest, or was fitted on other features."""

    code = "model_unusable"
    status = 503


class TrackerError(FraudError):
    """A tracker's API refused, failed, or answered something that is not understood."""

    code = "tracker_failed"
    status = 502


class Unsupported(TrackerError):
    """A tracker's API has no call for what was asked; it must be done by hand, or otherwise."""

    code = "tracker_cannot"
    status = 422


class StorageError(FraudError):
    """The database, the event lake or the evidence store could not do what was asked."""

    code = "storage_failed"
    status = 503
