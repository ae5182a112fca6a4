"""`tutela version`."""

from __future__ import annotations

import click


@click.command()
@click.option("--short", is_flag=True, help="The number alone.")
def version(short: bool) -> None:
    """Print the version."""
    from importlib import metadata

    try:
        number = metadata.version("tutela")
    except metadata.PackageNotFoundError:
        number = "0 (not installed)"
    if short:
        click.echo(number)
        return
    import platform

    parts = [f"Python {platform.python_version()}"]
    parts += [f"{name} {metadata.version(name)}" for name in ("lupa", "pykka")]
    click.echo(f"tutela {number} ({', '.join(parts)})")
