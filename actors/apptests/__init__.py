"""The tests of an app: functions with `meta.type: test`, found, run one after another, and reported."""

from actors.apptests.cases import DEFAULT_TIMEOUT, Case, find_cases
from actors.apptests.junit import junit_xml
from actors.apptests.runner import Places, Result, run_case, run_cases

__all__ = ["DEFAULT_TIMEOUT", "Case", "Places", "Result", "find_cases", "junit_xml", "run_case", "run_cases"]
