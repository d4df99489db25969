"""Runs the tests of Tryton modules, as trytond.tests.run-tests does.

    module_tests.py NAME RESULTS [--attach FILE.sql] MODULE[:SCENARIO]...

With --attach, psql runs the file as superuser in each database, when Tryton has
made the database and activated its modules, and before any test. Prints TAP, a
test each, headed by NAME. RESULTS gets what the databases had in them before
Tryton dropped them, as JSON: a line for each.
"""
import argparse
import doctest
import json
import logging
import os
import subprocess
import sys
import unittest

logging.disable(logging.CRITICAL)
parser = argparse.ArgumentParser()
parser.add_argument("name")
parser.add_argument("results")
parser.add_argument("--attach")
parser.add_argument("modules", nargs="+")
options = parser.parse_args()

os.environ.setdefault("DB_NAME", "shop_tryton_tests")

# These read DB_NAME when they are imported.
from trytond import backend                         # noqa: E402
from trytond.modules import import_module           # noqa: E402
from trytond.tests import test_tryton, tools        # noqa: E402

attached = False


def superuser(*arguments):
    return subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", test_tryton.DB_NAME, *arguments],
        check=True, stdout=subprocess.PIPE, text=True).stdout


def then_attach(activate):
    def wrapper(*args, **kwargs):
        global attached
        result = activate(*args, **kwargs)
        if options.attach and not attached:
            superuser("-o", "/dev/null", "-f", options.attach)
            attached = True
        return result
    return wrapper


def count_first(drop):
    def wrapper(*args, **kwargs):
        global attached
        if attached:
            with open(options.results, "a") as results:
                results.write(superuser("-c", FIGURES))
            attached = False
        return drop(*args, **kwargs)
    return wrapper


FIGURES = """
SELECT json_build_object(
    'attached', (SELECT count(*) FROM ordcancel.order_table),
    'sales', (SELECT count(*) FROM public.sale_sale),
    'canceled', (SELECT count(*) FROM ordcancel.event WHERE type = 'canceled'),
    'undone', (SELECT count(*) FROM ordcancel.event WHERE type = 'undone'),
    'deleted', (SELECT count(*) FROM public.sale_sale_cancellation AS c
                WHERE NOT EXISTS (SELECT FROM public.sale_sale AS s WHERE s.id = c.order_id)),
    'health', (SELECT json_agg(to_json(h)) FROM ordcancel.health AS h))
"""

# Scenarios import activate_modules from tools when they run; test cases call
# activate_module. All of them drop their database by drop_db.
test_tryton.activate_module = then_attach(test_tryton.activate_module)
tools.activate_modules = then_attach(tools.activate_modules)
test_tryton.drop_db = count_first(test_tryton.drop_db)


class Result(unittest.TestResult):
    count = 0

    def say(self, test, ok, why=""):
        Result.count += 1
        name = test.id()
        print("%sok %d - %s: %s" % ("" if ok else "not ", Result.count, options.name, name))
        if why:
            print("\n".join("# " + line for line in why.splitlines()[-40:]))
        sys.stdout.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say(test, True)

    def addError(self, test, error):
        super().addError(test, error)
        self.say(test, False, self._exc_info_to_string(error, test))

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.say(test, False, self._exc_info_to_string(error, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say(test, True, "skipped: " + reason)


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def wanted(argument):
    module, _, scenario = argument.partition(":")
    tests = import_module(module, "trytond.modules.%s.tests" % module).suite()
    for test in tests_of(tests):
        if not scenario or scenario in test.id():
            yield test


# The suite of test_tryton keeps the database of one module away from the next.
suite = test_tryton.suite()
for argument in options.modules:
    suite.addTests(wanted(argument))
result = Result()
suite.run(result)
print("1..%d" % Result.count)
sys.exit(not result.wasSuccessful())
