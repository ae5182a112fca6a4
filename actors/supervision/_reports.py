"""The log records of supervision: one for each failure, restart, giving up, kill and escalation, with `extra` fields.

Levels as in shared spec `supervision.md` §8: a normal exit is info, a cancellation a warning, other errors are errors.
"""

from __future__ import annotations

import logging

from actors.errors import CANCELED, INTERNAL, Failure
from actors.supervision.service import Note, NoteKind, duration_text

logger = logging.getLogger("actors.supervision")

# what a process ends with that somebody terminated (shared spec `processes.md` §7.2)
TERMINATED = "process terminated"


def log_note(note: Note, pid: str, supervisor: str) -> None:
    """Log what a service's machine noted."""
    service = note.service
    id, failures, failure = service.shown.id, service.shown.retry_count, service.failure
    reason = failure.message if failure else ""
    extra = {
        "entry": id,
        "pid": pid,
        "supervisor": supervisor,
        "event": note.kind.value,
        "failures": failures,
        "reason": reason,
        "stack": failure.stack if failure else "",
        "retry_in": note.retry_in,
    }
    match note.kind:
        case NoteKind.FAILED:
            then = f"; next attempt in {_short(note.retry_in)}" if note.retry_in is not None else ""
            text = f"service {id} failed ({_count(failures)} in a row): {service.shown.details or reason}{then}"
            logger.log(_level(failure), "%s", text, extra=extra)
        case NoteKind.EXITED if failure is not None:
            logger.log(_level(failure), "service %s exited and is not restarted: %s", id, reason, extra=extra)
        case NoteKind.EXITED:
            logger.info("service %s exited normally", id, extra=extra)
        case NoteKind.RESTARTING:
            logger.info("restarting service %s, attempt %d", id, failures + 1, extra=extra)
        case NoteKind.GAVE_UP:
            logger.error("gave up service %s after %s in a row", id, _count(failures), extra=extra)
        case NoteKind.KILLED:
            logger.warning("service %s did not stop in time and is killed", id, extra=extra)
        case NoteKind.ABANDONED:
            logger.error("service %s has not ended although it was killed; what is left of it is lost", id, extra=extra)
        case NoteKind.LATE:
            logger.warning("service %s came up after its attempt had been given up; it is killed", id, extra=extra)


def log_restart(id: str, delay: float, strategy: str, supervisor: str) -> None:
    """Log the restart of a child by its tree."""
    extra = {"entry": id, "supervisor": supervisor, "event": NoteKind.RESTARTING.value, "retry_in": delay}
    when = f" in {_short(delay)}" if delay > 0 else ""
    logger.info("restarting child %s (%s) of %s%s", id, strategy, supervisor, when, extra=extra)


def log_escalation(supervisor: str, failure: Failure) -> None:
    """Log that a tree gives up and leaves the rest to its parent."""
    extra = {"entry": supervisor, "supervisor": supervisor, "event": "escalation", "reason": failure.message}
    logger.error("supervisor %s gives up: %s", supervisor, failure.message, extra=extra)


def _level(failure: Failure | None) -> int:
    if failure is None:
        return logging.INFO
    wanted = failure.kind == CANCELED or (failure.kind == INTERNAL and failure.message == TERMINATED)
    return logging.WARNING if wanted else logging.ERROR


def _count(failures: int) -> str:
    return "1 failure" if failures == 1 else f"{failures} failures"


def _short(seconds: float | None) -> str:
    return duration_text(round(seconds or 0.0, 3))
