"""`tutela init`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("-d", "--src-dir", default="./src", show_default=True, help="Folder of the definitions.")
@click.option("--modules-dir", default=".wippy", show_default=True, help="Folder of installed modules.")
@click.option("-l", "--lock-file", default="wippy.lock", show_default=True, help="Name of the lock file.")
def init(path: Path, src_dir: str, modules_dir: str, lock_file: str) -> None:
    """Write a lock file in PATH (default: here), and make its folders.

    A lock file that is there already is left alone.
    """
    import yaml

    lock = path / lock_file
    if (path / src_dir).resolve() == path.resolve():
        raise click.UsageError(f"--src-dir {src_dir} is the app folder itself; choose one below it, such as ./src")
    if lock.exists():
        click.echo(f"{lock} is there already; nothing changed")
        return
    try:
        for folder in (path / src_dir, path / modules_dir):
            folder.mkdir(parents=True, exist_ok=True)
        directories = {"directories": {"modules": modules_dir, "src": src_dir}}
        lock.write_text(yaml.safe_dump(directories), encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{error.filename or path} can't be made: {error.strerror}") from error
    click.echo(f"wrote {lock}; definitions go into {path / src_dir}")
