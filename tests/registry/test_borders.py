import subprocess
import sys


def test_the_registry_imports_nothing_of_actors_and_no_model_library() -> None:
    program = (
        "import registry, sys; print([m for m in sys.modules if m.split('.')[0] in ('actors', 'pydantic', 'lupa')])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
