"""The command line: `tutela`, or `python -m actors.cli`. Each command parses, calls the library, and renders."""
