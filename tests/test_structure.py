"""How the code is laid out (design §2, style 1-3, 18)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import actors

ROOT = Path(__file__).parent.parent
LONGEST = 500

# Every layer with what belongs to it; a module imports only from its own layer and those after it. What is not named
# is a part that the runtime puts together, beside events and groups.
LAYERS = (
    ("actors.cli", "actors.demos"),
    ("actors.runtime", "actors.control", "actors.inspection", "actors.loading", "actors.config", "actors._config_tree"),
    ("actors.machinery", "actors.mailbox"),
    ("actors.assembly", "actors.bridges", "actors.definitions", "actors.waiting", "actors.watching"),
    ("actors.events", "actors.groups", "actors.terminal"),
    ("actors.hosts", "actors.workflows", "actors.functions"),
    ("actors.supervision", "actors.vm"),
    ("actors.actor", "actors.kinds"),
    ("actors.clock", "actors.errors"),
    ("registry",),
)
PARTS = 4


def sources() -> list[Path]:
    return sorted([*(ROOT / "actors").rglob("*.py"), *(ROOT / "registry").rglob("*.py")])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layer_of(module: str) -> int | None:
    for number, packages in enumerate(LAYERS):
        if any(module == package or module.startswith(package + ".") for package in packages):
            return number
    return PARTS if module.startswith("actors.") else None


def imports_of(path: Path) -> list[tuple[int, str]]:
    """Return what a file imports of this project, with the lines."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            found.append((node.lineno, node.module or ""))
    return [(line, name) for line, name in found if name.split(".")[0] in ("actors", "registry")]


def test_imports_point_one_way() -> None:
    wrong = []
    for path in sources():
        own = layer_of(module_of(path))
        if own is None:
            continue  # the face itself
        for line, name in imports_of(path):
            other = layer_of(name)
            if name != "actors" and (other is None or other < own):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
            if name == "actors" and own > 0:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports the face of its own package")
    assert wrong == []


def test_the_registry_knows_nothing_of_actors() -> None:
    wrong = [
        f"{path.name}:{line}"
        for path in sources()
        if path.is_relative_to(ROOT / "registry")
        for line, name in imports_of(path)
        if name.split(".")[0] != "registry"
    ]
    assert wrong == []


def test_only_the_vm_package_touches_lupa() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources()
        if "lupa" in {name.split(".")[0] for name in all_imports(path)} and path.parent.name != "vm"
    ]
    assert wrong == []


def all_imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


@pytest.mark.parametrize("kind", ["py", "lua"])
def test_no_file_is_longer_than_500_lines(kind: str) -> None:
    files = [*(ROOT / "actors").rglob(f"*.{kind}"), *(ROOT / "registry").rglob(f"*.{kind}")]
    assert files
    longer = {str(path.relative_to(ROOT)): n for path in files if (n := path.read_text().count("\n")) > LONGEST}
    assert longer == {}


def test_the_face_of_actors_is_small_and_sorted() -> None:
    assert actors.__all__ == sorted(actors.__all__)
    assert len(actors.__all__) <= 30
    for name in actors.__all__:
        assert getattr(actors, name) is not None


def test_importing_starts_no_thread_and_loads_no_lua() -> None:
    program = (
        "import sys, threading\n"
        "before = threading.active_count()\n"
        "import actors, registry\n"
        "assert threading.active_count() == before, threading.enumerate()\n"
        "loaded = sorted(name for name in sys.modules if name.split('.')[0] == 'lupa')\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
