"""What the Python programs of this directory share: assertions in TAP, and the
other session that comes in between."""
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


def meanwhile(sql):
    """Another session."""
    with psycopg.connect("", autocommit=True) as db:
        return db.execute(sql).fetchone()[0]
