"""Function entries: where calls run."""

from actors.functions.host import FUNCTION_HOST, FunctionHost

__all__ = ["FUNCTION_HOST", "FunctionHost"]
