"""Log records on stderr: one line each, plain, in colours, or as JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from actors.cli._options import LogOptions
from actors.config import Config, Encoding

if TYPE_CHECKING:
    from actors.events import EventBus

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS: Final = {"DEBUG": "\x1b[2m", "INFO": "\x1b[32m", "WARNING": "\x1b[33m", "ERROR": "\x1b[31m"}
_NAMES: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def set_up_logging(options: LogOptions, config: Config | None, stream: TextIO | None = None) -> None:
    """Send the log of the whole program to stderr (or `stream`), as the flags and the configuration say.

    May be called again; the last call counts.
    """
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(old)
    handler = _Handler(stream or sys.stderr)
    traces = options.very_verbose or options.verbose > 1
    if config is not None and config.log_encoding is Encoding.JSON and not options.console:
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(_ConsoleFormatter(colours=options.console, traces=traces))
    level = config.log_level if config is not None else logging.INFO
    if options.silent:
        level = logging.CRITICAL + 1
    elif options.verbose or options.very_verbose:
        level = logging.DEBUG
    handler.setLevel(level)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)


def log_to_bus(bus: EventBus, level: int) -> Callable[[], None]:
    """Send log records of at least `level` to the event bus too; the result ends that.

    An event has the system ``log``, the level as its kind, the logger's name as its path, and as data the message and
    the fields of the record.
    """
    root = logging.getLogger()
    before = root.level
    handler = _BusHandler(bus)
    handler.setLevel(level)
    root.addHandler(handler)
    root.setLevel(min(level, before))

    def end() -> None:
        root.removeHandler(handler)
        root.setLevel(before)

    return end


class _BusHandler(logging.Handler):
    def __init__(self, bus: EventBus) -> None:
        super().__init__()
        self._bus = bus
        self._sending = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        # what sending a record logs is not sent in its turn; the bus itself logs while it holds its lock
        if record.name == "actors.events" or getattr(self._sending, "now", False):
            return
        self._sending.now = True
        try:
            fields = {key: str(value) for key, value in _fields(record).items()}
            level = _NAMES.get(record.levelname, record.levelname).lower()
            self._bus.publish("log", level, record.name, {"message": record.getMessage(), "fields": fields})
        except Exception:
            self.handleError(record)
        finally:
            self._sending.now = False


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, to be told from others."""


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD and value is not None}


class _ConsoleFormatter(logging.Formatter):
    def __init__(self, *, colours: bool, traces: bool) -> None:
        super().__init__()
        self._colours = colours
        self._traces = traces

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        level = _NAMES.get(record.levelname, record.levelname)
        fields = _fields(record)
        stack = fields.pop("stack", None)
        text = record.getMessage()
        fields.pop("fields", None)  # a script's own: they stand in the text
        # what the text says is not said again; a stack below the first line stays there
        extra = "".join(f"  {key}={value}" for key, value in fields.items() if str(value) not in text)
        first, *rest = text.split("\n")
        if self._colours:
            colour = _COLOURS.get(record.levelname, "")
            line = f"\x1b[2m{time}\x1b[0m {colour}{level:<5}\x1b[0m {first}\x1b[2m{extra}\x1b[0m"
        else:
            line = f"{time} {level:<5} {first}{extra}"
        line = "\n    ".join([line, *rest])
        if self._traces:
            parts = [line, *([str(stack)] if stack and str(stack) not in text else [])]
            if record.exc_info:
                parts.append(self.formatException(record.exc_info))
            line = "\n".join(parts)
        elif record.exc_info and record.exc_info[1] is not None:
            line += f": {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
        return line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": _NAMES.get(record.levelname, record.levelname).lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
