"""What the log flags of the command line let through, and how records look."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import Runtime
from actors.cli._logging import log_to_bus, set_up_logging
from actors.cli._options import LogOptions
from actors.config import Config, Encoding
from actors.events import BusEvent


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


def test_event_streams_send_records_to_the_event_bus(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text("namespace: app\nentries: []\n")
    with Runtime.load(tmp_path) as rt:
        seen: list[BusEvent] = []
        rt.bus.watch("log", "*", seen.append)
        set_up_logging(LogOptions(silent=True), None, io.StringIO())
        end = log_to_bus(rt.bus, logging.INFO)
        logging.getLogger("shop").debug("too small")
        logging.getLogger("shop").warning("%s is low", "stock", extra={"pid": "{1}"})
        end()
        logging.getLogger("shop").warning("too late")
    mine = [event for event in seen if event.path == "shop"]
    assert [(event.kind, event.data) for event in mine] == [
        ("warn", {"message": "stock is low", "fields": {"pid": "{1}"}})
    ]


def test_a_script_hears_the_log_of_its_program_with_the_flag_e(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(
        """
namespace: app
entries:
  - { name: term, kind: terminal.host, lifecycle: { auto_start: true } }
  - name: hears
    kind: process.lua
    meta: { command: { name: hears } }
    modules: [events, logger]
    source: |
      return { main = function()
        local sub = events.subscribe("log")
        logger:warn("a word")
        repeat local event = sub:channel():receive() until event.data.message == "a word"
        return "heard"
      end }
"""
    )
    arguments = ["-m", "actors.cli", "run", "-e", "--state", str(tmp_path / "state"), str(tmp_path), "hears"]
    ended = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=50, check=False)
    assert (ended.returncode, ended.stdout) == (0, "heard\n"), ended.stderr
