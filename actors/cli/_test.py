"""`tutela test`."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors.cli._options import (
    AppOptions,
    LogOptions,
    app_options,
    json_option,
    log_options,
    path_argument,
    state_option,
)
from actors.cli._render import print_json

if TYPE_CHECKING:
    from actors import Runtime
    from actors.apptests import Case, Result
    from actors.cli._report import Report
    from actors.config import Config
    from registry import Registry


@click.command()
@path_argument
@click.argument("filter", required=False)
@json_option
@click.option(
    "--junit", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML to FILE as well."
)
@click.option("--host", metavar="ID", help="The terminal host for a test runner of the app. Default: the only one.")
@state_option
@app_options
@log_options
def test(
    path: Path,
    filter: str | None,
    as_json: bool,
    junit: Path | None,
    host: str | None,
    state: Path | None,
    app: AppOptions,
    log: LogOptions,
) -> None:
    """Run the tests of the app in folder PATH; only those whose id contains FILTER, if it is given.

    A test is a function.lua or function.python entry with `meta: {type: test}`. It passes when it returns, and not
    false. The services of the app run meanwhile. Exit code 0: all passed.

    An app with a test runner of its own, a process with `meta.command.use_case: test`, has that run instead.
    """
    from actors.apptests import find_cases
    from actors.cli._commands import Main, commands, terminal_host
    from actors.cli._logging import set_up_logging
    from actors.cli._run import launch

    config = app.configuration(path)
    entries = app.registry(path, config)
    runners = commands(entries, "test")
    if len(runners) > 1:
        ids = ", ".join(runner.id for runner in runners)
        raise click.UsageError(f"the app has several test runners (meta.command.use_case: test): {ids}; keep one")
    if runners:
        if as_json or junit is not None:
            raise click.UsageError(f"--json and --junit belong to the built-in runner; this app has {runners[0].id}")
        args = () if filter is None else (filter,)
        main = Main(runners[0].id, terminal_host(entries, host), args)
        raise click.exceptions.Exit(launch(path, config, entries, app, log, main, state=state))
    if host is not None:
        raise click.UsageError("--host is for a test runner of the app, and this one has none")
    cases = find_cases(entries, filter or "")
    if not cases and filter is not None:
        raise click.ClickException(f"no test has {filter!r} in its id")
    set_up_logging(log if log.given() else LogOptions(silent=True), config)
    with _state(state) as folder:
        results, complete = _perform(path, entries, config, folder, cases, silent=as_json)
    if as_json:
        print_json(_record(results))
    if junit is not None:
        from actors.apptests import junit_xml

        junit.write_bytes(junit_xml(results))
    if not complete or not all(result.passed for result in results):
        raise click.exceptions.Exit(1)


@contextlib.contextmanager
def _state(chosen: Path | None) -> Iterator[Path]:
    """A state folder of their own, so that tests find nothing that an earlier run left."""
    from actors.control import STATE_VARIABLE, state_folder

    if chosen is not None or os.environ.get(STATE_VARIABLE):
        yield state_folder(chosen)
        return
    with tempfile.TemporaryDirectory(prefix="tutela-test-") as folder:
        yield Path(folder)


def _perform(
    path: Path, entries: Registry, config: Config, state: Path, cases: list[Case], *, silent: bool
) -> tuple[list[Result], bool]:
    """Run the tests, and tell whether all of them had their turn."""
    import sys

    from actors.cli._report import Report
    from actors.cli._run import make_runtime
    from actors.cli._serve import Ended, Signals, Started

    sys.path.insert(0, str(path.resolve()))
    rt = make_runtime(entries, config, state)
    results: list[Result] = []
    report = Report(len(cases), silent=silent)
    stopping = threading.Event()
    with Signals() as signals:
        rt.ending.watch(lambda code: signals.events.put(Ended(code)))

        # on a thread of its own, so that a signal is heard meanwhile
        def work() -> None:
            failure: Exception | None = None
            try:
                rt.start()
                _run(rt, cases, results, report, stopping)
            except Exception as error:
                failure = error
            signals.events.put(Started(failure))

        worker = threading.Thread(target=work, name="tutela-test", daemon=True)
        with report:
            worker.start()
            try:
                event = signals.events.get()
            finally:
                stopping.set()
                rt.stop()
                worker.join(5.0)
        if isinstance(event, Started):
            if event.failure is not None:
                raise event.failure
        elif isinstance(event, Ended):
            click.echo(f"the app ended itself with code {event.code} after {len(results)} tests", err=True)
        else:
            click.echo(f"stopped after {len(results)} of {len(cases)} tests", err=True)
    report.end(results)
    return results, isinstance(event, Started)


def _run(rt: Runtime, cases: list[Case], results: list[Result], report: Report, stopping: threading.Event) -> None:
    from actors.apptests import Places, run_case

    places = Places(rt.registry)
    for case in cases:
        report.begin(case)
        # what ends because everything is being stopped tells nothing about the test
        result = run_case(case, lambda id, timeout: rt.call(id, timeout=timeout), rt.clock.monotonic, places)
        if rt.ending.code is not None or stopping.is_set():
            return
        results.append(result)
        report.tell(result)


def _record(results: list[Result]) -> dict[str, Any]:
    passed = sum(result.passed for result in results)
    return {
        "passed": passed,
        "failed": len(results) - passed,
        "seconds": round(sum(result.seconds for result in results), 6),
        "tests": [
            {
                "id": result.case.id,
                "name": result.case.name,
                "suite": result.case.suite,
                "passed": result.passed,
                "seconds": round(result.seconds, 6),
                **({} if result.passed else _failure(result)),
            }
            for result in results
        ],
    }


def _failure(result: Result) -> dict[str, Any]:
    return {
        "message": result.message,
        "kind": result.kind,
        "file": result.file,
        "line": result.line,
        "stack": list(result.stack),
    }
