"""What clients.py and workers.py share: where the server is, and what they are asked to do."""
import os
import random
import signal
import sys
from time import sleep as nap  # noqa: F401

import psycopg2

# Set by test/t/consumers.sh.
CONTROL = os.environ["CONTROL"]
DATABASE = os.environ["DATABASE"]
SEED = os.environ["SEED"]

# What a transaction can meet while others are at the same orders.
RACES = {"40001", "40P01", "55P03", "23514", "23505"}


def asked(what):
    """Has the script made this file?"""
    return os.path.exists(os.path.join(CONTROL, what))


def server():
    """The number of the database cluster, and the directory of its socket."""
    with open(os.path.join(CONTROL, "server")) as file:
        generation, host = file.read().split()
    return int(generation), host


def connect(name, **settings):
    """A session with the server of the moment; None if there is none."""
    generation, host = server()
    settings["client_min_messages"] = "error"
    try:
        db = psycopg2.connect(host=host, dbname=DATABASE, user="postgres", application_name=name,
                              options=" ".join("-c %s=%s" % pair for pair in settings.items()))
    except psycopg2.OperationalError:
        return None
    db.autocommit = True
    db_generation[id(db)] = generation
    return db


db_generation = {}


def is_race(error):
    return error.pgcode is not None and (error.pgcode in RACES or error.pgcode.startswith("OC"))


def is_lost(error):
    """The server is gone, or has ended the session."""
    return error.pgcode is None or error.pgcode.startswith(("57P", "08"))


def fork(run, name):
    """Runs it in a process of its own, with random numbers of its own."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    status = 1
    try:
        run(name, random.Random("%s %s" % (SEED, name)))
        status = 0
    except BaseException as error:  # pylint: disable=broad-except
        complain(name, error)
    finally:
        os._exit(status)


def complain(name, error):
    """The script shows this file, which has to stay empty."""
    with open(os.path.join(CONTROL, "wrong"), "a") as file:
        file.write("%s: %s: %s %s\n" % (name, type(error).__name__, getattr(error, "pgcode", ""), error))
