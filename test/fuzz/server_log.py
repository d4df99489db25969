"""What the server has to say of crashes and internal errors."""

import datetime
import glob
import json
import os
import re
import subprocess

# Core raises these where another session's DDL meets a look-up that it cannot
# lock out. None may come from a file of ordcancel, and each counts only while
# another session was changing catalogs.
ALLOWED = [
    # Two sessions GRANT, ALTER or drop the same object.
    r'^tuple concurrently (updated|deleted)$',
    # An OID that was read before the object went.
    r'^cache lookup failed for (function|relation|index|trigger|constraint|attribute|collation|operator|language) ',
    r'^cache lookup failed for attribute \d+ of relation \d+$',
    # A relation that was dropped between its name's look-up and its lock.
    r'^could not open relation with OID \d+$',
    # ALTER TABLE of a key that another table's foreign key refers to.
    r'^could not find tuple for constraint \d+$',
    # In one transaction ALTER DOMAIN … DROP CONSTRAINT IF EXISTS of none, SAVEPOINT, and any change of a catalog.
    r'^cannot start a subtransaction when there are unprocessed inval messages$',
    # has_table_privilege() and pg_get_...() of a relation that has just gone.
    r'^relation \d+ (deleted while|does not exist)',
]

# A statement runs no longer than its timeout, and waits no longer for the log.
LONGEST = 3.0

# Warnings that say that something was not cleaned up.
LEAKS = re.compile(r'(reference|refcount) leak|leaked|not closed|still (active|held|referenced)|left non-empty|'
                   r'problem in|detected write past|'
                   r'you don\'t own a lock|bogus|out of shared|corrupt|AbortTransaction while|snapshot')


class ServerLog:
    def __init__(self, directory, sources, postgres, data):
        self.directory = directory
        self.postgres = postgres
        self.data = data
        self.at = 0
        self.raw_at = 0
        self.sources = {}
        for path in glob.glob(sources + '/*.c'):
            with open(path) as f:
                self.sources[os.path.basename(path)] = f.read()

    def ours(self, entry):
        """Does the error come from a file of ordcancel? Core has some of the same names."""
        text = self.sources.get(entry.get('file_name'), '')
        return re.search(r'\b%s\(' % re.escape(entry.get('func_name', ' ')), text) is not None

    def read(self, changing):
        """Lists of crashes, internal errors, allowed internal errors and leaks since the last time. Each is a
        dictionary.
        """
        crashes, internal, allowed, leaks = [], [], [], []
        path = self.directory + '/fuzz.json'
        if os.path.exists(path):
            with open(path, 'rb') as f:
                f.seek(self.at)
                for line in f:
                    if not line.endswith(b'\n'):
                        break
                    self.at += len(line)
                    self.sort(line, changing, crashes, internal, allowed, leaks)
        for crash in crashes:
            crash['where'] = self.assertion() + self.backtrace(crash)
        return crashes, internal, allowed, leaks

    def sort(self, line, changing, crashes, internal, allowed, leaks):
        try:
            entry = json.loads(line.decode('utf-8', 'surrogateescape'))
        except ValueError:
            return
        severity = entry.get('error_severity')
        message = entry.get('message', '')
        if severity == 'LOG' and 'was terminated by signal' in message or severity == 'PANIC':
            crashes.append(entry)
        elif entry.get('state_code', '').startswith('XX') and severity != 'LOG':
            entry['ours'] = self.ours(entry)
            known = not entry['ours'] and any(re.search(pattern, message) for pattern in ALLOWED) and self.beside(entry,
                        changing)
            (allowed if known else internal).append(entry)
        elif severity == 'WARNING' and LEAKS.search(message):
            leaks.append(entry)

    @staticmethod
    def beside(entry, changing):
        at = datetime.datetime.strptime(entry['timestamp'],
                                        '%Y-%m-%d %H:%M:%S.%f UTC').replace(tzinfo=datetime.timezone.utc).timestamp()
        return changing(entry['pid'], at - LONGEST, at)

    def assertion(self):
        found = ''
        path = self.directory + '/fuzz.log'
        if os.path.exists(path):
            with open(path, errors='replace') as f:
                f.seek(self.raw_at)
                text = f.read()
                self.raw_at += len(text.encode('utf-8', 'replace'))
            found = '\n'.join(line for line in text.splitlines() if 'TRAP' in line)
        return found

    def backtrace(self, crash):
        pid = re.search(r'PID (\d+)', crash.get('message', ''))
        result = ''
        for core in glob.glob(self.data + '/core*'):
            try:
                out = subprocess.run(['gdb', '-batch', '-ex', 'bt 25', self.postgres, core], capture_output=True,
                                     text=True, timeout=120, check=False).stdout
                result += '\n' + '\n'.join(line for line in out.splitlines() if line.startswith('#'))
            except (OSError, subprocess.TimeoutExpired):
                pass
            os.unlink(core)
        return result or ('\n(no core of process %s, or no gdb)' % (pid.group(1) if pid else '?'))


def key(entry):
    """Two that are the same trouble."""
    return (entry.get('file_name'), entry.get('func_name'), re.sub(r'\d+', 'N', entry.get('message', '')))
