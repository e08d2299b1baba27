# Runs a project's unittest or pytest tests in this process and reports each, with tests among them that must fail.
def flatten(suite):
    import unittest

    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


class Abandoned(BaseException):
    """Nothing that the rest of the tests could show matters any more."""


def reporter(channel, task, files):
    """What both runners share: a report for each case, its alarm, its lines, and when to stop."""
    first = set(task["first"])
    state = {"failing": 0, "improved": False}
    lines = Lines(files) if task["trace"] else None
    patience = Patience(task["limit"])

    def begin():
        if lines:
            lines.start()
        patience.start()

    def end(name, error):
        answer = {"case": name, "passed": error is None, "cpu": patience.stop(error)}
        if error is not None:
            answer["error"] = fault(error, files)
        if lines:
            answer["lines"] = lines.stop()
        channel.send(answer)
        if name in first:
            state["failing"] += 1
            state["improved"] = state["improved"] or error is None
        elif error is not None and task["stop_at_first"] and name not in task["canaries"]:
            raise Abandoned()

    def hopeless():
        return bool(first) and task["give_up"] and state["failing"] >= len(first) and not state["improved"]

    return begin, end, hopeless


def run_unittest(channel, task, files):
    import unittest

    begin, end, hopeless = reporter(channel, task, files)

    class Result(unittest.TestResult):
        def startTest(self, test):
            super().startTest(test)
            self.told_subtests = False
            begin()

        def _tell(self, test, error):
            end(test.id(), error)
            begin()

        def addSuccess(self, test):
            if not self.told_subtests:
                self._tell(test, None)

        def addFailure(self, test, error):
            self._tell(test, error[1])

        def addError(self, test, error):
            self._tell(test, error[1])

        def addSkip(self, test, reason):
            alarm(0)

        def addExpectedFailure(self, test, error):
            self._tell(test, None)

        def addUnexpectedSuccess(self, test):
            self._tell(test, AssertionError("it passed and was expected to fail"))

        def addSubTest(self, test, subtest, error):
            self.told_subtests = True
            self._tell(subtest, error[1] if error else None)

        def stopTest(self, test):
            alarm(0)
            super().stopTest(test)

    def canary(name):
        def run(self):
            self.assertEqual(1, 2)

        return type(name, (unittest.TestCase,), {"test_must_fail": run, "id": lambda self: name})("test_must_fail")

    class Runner:
        def run(self, suite):
            tests = list(flatten(suite))
            firsts = task["first"]
            early = [test for test in tests if any(name.startswith(test.id()) for name in firsts)]
            late = [test for test in tests if test not in early]
            if task["only"] is not None:
                early, late = [], [test for test in tests if test.id() == task["only"]]
            if task["reverse"]:
                late.reverse()
            channel.send({"found": [test.id() for test in tests]})
            canaries = [canary(name) for name in task["canaries"]]
            result = Result()
            half = len(canaries) // 2
            unittest.TestSuite(canaries[:half]).run(result)
            unittest.TestSuite(early).run(result)
            if early and hopeless():
                channel.send({"given_up": True})
            else:
                unittest.TestSuite(late).run(result)
            unittest.TestSuite(canaries[half:]).run(result)
            return result

    unittest.main(module=None, argv=["unittest"] + task["arguments"], testRunner=Runner(), exit=False)


def run_pytest(channel, task, files):
    import pytest

    begin, end, hopeless = reporter(channel, task, files)
    errors = {}

    class Plugin:
        abandoned = False
        troubles = []

        def pytest_sessionstart(self, session):
            self.session = session

        def pytest_collectreport(self, report):
            if report.failed:
                self.tell(str(report.longrepr))

        def pytest_internalerror(self, excrepr):
            self.tell(str(excrepr))

        def tell(self, text):
            # The last line of what pytest shows is what happened; the rest is where.
            self.troubles.extend(text.strip().splitlines()[-1:])

        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items):
            firsts = set(task["first"])
            items.sort(key=lambda item: item.nodeid not in firsts)
            if task["only"] is not None:
                items[:] = [item for item in items if item.nodeid == task["only"]]
            channel.send({"found": [item.nodeid for item in items]})

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_call(self, item):
            begin()
            outcome = yield
            alarm(0)
            if outcome.excinfo:
                errors[item.nodeid] = outcome.excinfo[1]

        def pytest_runtest_logreport(self, report):
            set_up = report.when == "setup" and report.outcome == "failed"
            if not (set_up or report.when == "call") or report.outcome == "skipped":
                return
            if set_up:
                begin()
            failed = report.outcome != "passed"
            # pytest takes whatever a hook raises for a fault of its own, so it is asked to stop instead.
            try:
                end(report.nodeid, errors.get(report.nodeid, AssertionError("failed")) if failed else None)
            except Abandoned:
                self.abandoned = True
                self.session.shouldstop = "one failure is enough"
                return
            if hopeless() and not self.session.shouldstop:
                channel.send({"given_up": True})
                self.session.shouldstop = "nothing improved"

    plugin = Plugin()
    root = ["-c", "/dev/null", "--rootdir", task["root"], "--confcutdir", task["root"]]
    ended = pytest.main(["-q", "-p", "no:cacheprovider"] + root + task["arguments"], plugins=[plugin])
    if plugin.abandoned:
        raise Abandoned()
    if plugin.troubles or ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise RuntimeError("pytest ended with " + ended.name + ": " + "; ".join(plugin.troubles))
    # Canaries for pytest are plain checks of its assertions' machinery, judged by the same reporter.
    for name in task["canaries"]:
        error = None
        begin()
        try:
            with pytest.raises(ZeroDivisionError):
                pass
        except BaseException as caught:
            error = caught
        end(name, error)


def run_tests(channel, task, files):
    """Runs what the task says; raises what kept it from running."""
    import os

    nonce = task.pop("nonce")
    os.chdir(task["root"])
    try:
        if task["framework"] == "pytest":
            run_pytest(channel, task, files)
        else:
            run_unittest(channel, task, files)
    except Abandoned:
        pass
    alarm(0)
    channel.send({"done": nonce})


def main():
    channel = Channel()
    task = channel.receive()
    prepare(task)
    files = set(task["files"])
    try:
        run_tests(channel, task, files)
    except BaseException as error:
        alarm(0)
        channel.send({"failed": fault(error, files)})
