"""How test results are shown: suite by suite, with a progress bar in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from actors.apptests import Case, Result


class Report:
    """Prints results as they come; a suite when its last test is through.

    `begin` and `tell` are called on one thread, `end` when that is done.

    Args:
        count: how many tests there are. silent: print nothing.
    """

    def __init__(self, count: int, *, silent: bool = False, console: Console | None = None) -> None:
        self._console = console if console is not None else Console(highlight=False, quiet=silent)
        self._suite: list[Result] = []
        self._progress = Progress(
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
            disable=silent or not self._console.is_terminal,
        )
        self._task = self._progress.add_task("", total=count)

    def __enter__(self) -> Report:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, case: Case) -> None:
        """A test begins."""
        self._progress.update(self._task, description=escape(case.name))

    def tell(self, result: Result) -> None:
        """A test is through."""
        if self._suite and self._suite[0].case.suite != result.case.suite:
            self._print_suite()
        self._suite.append(result)
        self._progress.advance(self._task)

    def end(self, results: Sequence[Result]) -> None:
        """Print the last suite and the summary."""
        if self._suite:
            self._print_suite()
        failed = sum(not result.passed for result in results)
        seconds = sum(result.seconds for result in results)
        if not results:
            self._print("no tests")
            return
        self._print(f"[bold {'red' if failed else 'green'}]{_counts(results)}[/] in {seconds:.2f} s")

    def _print_suite(self) -> None:
        results, self._suite = self._suite, []
        seconds = sum(result.seconds for result in results)
        title = escape(results[0].case.suite or "(no suite)")
        self._print(f"[bold]{title}[/]: {_counts(results)}, {seconds:.2f} s")
        for result in results:
            if result.passed:
                self._print(f"  [green]ok[/]    {escape(result.case.name)} [dim]({result.seconds:.3f} s)[/]")
            else:
                self._print_failure(result)

    def _print_failure(self, result: Result) -> None:
        case = result.case
        id = f" ({case.id})" if case.name != case.id else ""
        self._print(f"  [red]FAIL[/]  [bold]{escape(case.name)}[/]{escape(id)} [dim]({result.seconds:.3f} s)[/]")
        if result.file:
            self._print(f"        {escape(result.file)}:{result.line}")
        for line in result.message.splitlines():
            self._print(f"        [red]{escape(line)}[/]")
        for line in result.stack:
            self._print(f"          [dim]{escape(line)}[/]")

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


def _counts(results: Sequence[Result]) -> str:
    failed = sum(not result.passed for result in results)
    passed = len(results) - failed
    return f"{passed} passed, {failed} failed" if failed else f"{passed} passed"
