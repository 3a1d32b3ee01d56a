# SPDX-License-Identifier: MIT
"""Runs end-to-end cases: python3 tests/e2e/run.py [--list] [FILE...] [NAME_PART...]

Every function test_* of every test_*.py is a case with a time limit (its attribute `limit_s`, else
120). What a case starts it hands to the helpers in salver.py, which end it when the case ends. The
last line is "N passed, N failed, N skipped".
"""
import importlib.util
import inspect
import pathlib
import signal
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import salver  # noqa: E402 (the path comes first)


class TooLong(BaseException):
    """Not an Exception: no case catches it by accident."""


def on_alarm(_signal, _frame):
    raise TooLong


def cases_of(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if name.startswith("test_") and function.__module__ == file.stem:
            yield f"{file.stem}.{name}", function


def run_case(name, function):
    """Returns "ok", "FAIL" or "skip"."""
    start = time.monotonic()
    outcome, why, trace = "ok", "", ""
    limit_s = getattr(function, "limit_s", 120)
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(limit_s)
    try:
        function()
    except salver.Skip as skip:
        outcome, why = "skip", f": {skip}"
    except TooLong:
        outcome, why = "FAIL", f": not done after {limit_s} s"
    except Exception:
        outcome, why, trace = "FAIL", "", traceback.format_exc()
    finally:
        signal.alarm(0)
        if outcome == "FAIL":
            salver.show_logs()
            print(trace, end="")  # right above the line that says FAIL
        faults = salver.clean_up()
    if faults:
        outcome = "FAIL"
        print("\n".join(faults))
    print(f"{outcome:4} {name} ({time.monotonic() - start:.1f} s){why}", flush=True)
    return outcome


def main():
    files = [pathlib.Path(a).resolve() for a in sys.argv[1:] if a.endswith(".py")]
    parts = [a for a in sys.argv[1:] if not a.endswith(".py") and a != "--list"]
    cases = [c for file in files or sorted(HERE.glob("test_*.py")) for c in cases_of(file)]
    if parts:
        cases = [c for c in cases if any(part in c[0] for part in parts)]
    if "--list" in sys.argv[1:]:
        print("\n".join(name for name, _ in cases))
        return 0
    outcomes = [run_case(name, function) for name, function in cases]
    failed = outcomes.count("FAIL")
    print(f"{outcomes.count('ok')} passed, {failed} failed, {outcomes.count('skip')} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
