"""Function entries: where calls run, how many at once, and the functions of Python."""

from actors.functions.host import FUNCTION_HOST, FunctionHost
from actors.functions.permits import Permits
from actors.functions.pools import PoolBounds, pool_bounds
from actors.functions.python import PythonFunctions
from actors.functions.targets import TargetError

__all__ = [
    "FUNCTION_HOST",
    "FunctionHost",
    "Permits",
    "PoolBounds",
    "PythonFunctions",
    "TargetError",
    "pool_bounds",
]
