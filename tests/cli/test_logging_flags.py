"""What the log flags of the command line let through, and how records look."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cli._logging import set_up_logging
from actors.cli._options import LogOptions
from actors.config import Config, Encoding


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def _logged(options: LogOptions, config: Config | None = None) -> str:
    stream = io.StringIO()
    set_up_logging(options, config, stream)
    log = logging.getLogger("actors.test")
    log.debug("small")
    log.info("process %s ended", "{1}", extra={"pid": "{1}", "entry": "a:b", "stack": "a.lua:3: in f"})
    try:
        raise ValueError("boom")
    except ValueError:
        log.exception("it failed")
    return stream.getvalue()


def test_without_flags_infos_and_errors_are_logged_in_one_line_each() -> None:
    lines = _logged(LogOptions()).splitlines()
    assert [line[13:] for line in lines] == [
        "INFO  process {1} ended  entry=a:b",  # what the text says is not said again
        "ERROR it failed: ValueError: boom",
    ]


def test_verbose_adds_debug_and_twice_adds_stacks() -> None:
    assert "DEBUG small" in _logged(LogOptions(verbose=1))
    assert "Traceback" not in _logged(LogOptions(verbose=1))
    for options in (LogOptions(verbose=2), LogOptions(very_verbose=True)):
        text = _logged(options)
        assert "a.lua:3: in f" in text
        assert "Traceback" in text


def test_silent_logs_nothing_even_with_a_verbose_configuration(tmp_path: Path) -> None:
    assert _logged(LogOptions(silent=True), Config(base=tmp_path, log_level=logging.DEBUG)) == ""


def test_the_level_comes_from_the_configuration(tmp_path: Path) -> None:
    text = _logged(LogOptions(), Config(base=tmp_path, log_level=logging.ERROR))
    assert "ended" not in text
    assert "it failed" in text


def test_console_logs_in_colours_and_plain_does_not(tmp_path: Path) -> None:
    assert "\x1b[" in _logged(LogOptions(console=True))
    assert "\x1b[" not in _logged(LogOptions())


def test_json_records_are_objects_with_their_fields(tmp_path: Path) -> None:
    records = [
        json.loads(line)
        for line in _logged(LogOptions(), Config(base=tmp_path, log_encoding=Encoding.JSON)).splitlines()
    ]
    assert records[0]["message"] == "process {1} ended"
    assert (records[0]["level"], records[0]["pid"], records[0]["entry"]) == ("info", "{1}", "a:b")
    assert "ValueError: boom" in records[1]["exception"]


def test_setting_up_twice_does_not_log_twice() -> None:
    first = io.StringIO()
    set_up_logging(LogOptions(), None, first)
    assert len(_logged(LogOptions()).splitlines()) == 2
    assert first.getvalue() == ""
