"""What the Python programs of this directory share: assertions in TAP, and the
other session that comes in between."""
import os
import socket
import sys

import psycopg

count = failed = 0


def equal(got, wanted, name):
    global count, failed
    count += 1
    if got == wanted:
        print(f"ok {count} - {name}")
    else:
        failed += 1
        print(f"not ok {count} - {name}\n# got: {got!r}\n# wanted: {wanted!r}")


def done_testing():
    print(f"1..{count}")
    sys.exit(failed > 0)


def raised(call):
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def cut(db):
    """The connection of psycopg is lost: nothing of it is said by the server."""
    with socket.socket(fileno=os.dup(db.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def meanwhile(sql):
    """Another session."""
    with psycopg.connect("", autocommit=True) as db:
        return db.execute(sql).fetchone()[0]
