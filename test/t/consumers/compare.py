"""Compares what a consumer has logged with the events that there are.

    compare.py EVENTS LOG FILTER [BEFORE AFTER]

EVENTS are the event tables, FILTER what the consumer has asked for: "all", the
name of an order table, or types. BEFORE and AFTER have the events that were
there when it was created. What is wrong goes to stdout, the rest to stderr.
"""
import sys
from collections import Counter, defaultdict


def wanted_by(what):
    if what == "all":
        return lambda orders, type_: True
    if what.startswith("shop."):
        return lambda orders, type_: orders == what
    return lambda orders, type_: type_ in what.split(",")


def read_events(path, wanted):
    events = {}
    with open(path) as file:
        for line in file:
            event_id, orders, type_, key = line.rstrip("\n").split(" ", 3)
            if wanted(orders, type_):
                events[int(event_id)] = (orders, type_, key)
    return events


def read_ids(path):
    with open(path) as file:
        return {int(line) for line in file}


class Log:
    def __init__(self, path, events, not_wanted):
        self.events = events
        self.not_wanted = not_wanted
        self.seen = Counter()
        self.last = defaultdict(int)                # by order: its last first sighting
        self.acknowledged = {}                      # by event: where in the log, and in which cluster
        self.batches = defaultdict(list)            # by worker and cluster
        self.highest = 0
        self.late = 0                               # events first seen after one of a higher ID
        self.wrong = []
        with open(path, "rb") as file:
            offset = 0
            for line in file:
                words = line.decode().rstrip("\n").split(" ", 8)
                if words[0] == "e":
                    self.delivered(words)
                elif words[0] == "a":
                    self.acked(words, offset)
                else:
                    self.wrong.append("the log has a line that a worker has not written whole: %r" % line)
                offset += len(line)

    def delivered(self, words):
        worker, generation, asked_at, own, event_id = words[1], int(words[2]), int(words[3]), words[4], int(words[5])
        what = (words[6], words[7], words[8])
        if self.events.get(event_id) != what:
            # One that the worker made itself may have been rolled back.
            if own != "1":
                self.wrong.append("%s got event %d of %s, which is not one of its events" % (worker, event_id, what))
            return
        batches = self.batches[worker, generation]
        if not batches or batches[-1][0] != asked_at:
            batches.append((asked_at, []))
        batches[-1][1].append(event_id)
        if event_id in self.acknowledged:
            at, cluster = self.acknowledged[event_id]
            if at < asked_at and cluster == generation:
                self.wrong.append("%s got event %d again after it was acknowledged" % (worker, event_id))
        if generation == 0 and event_id in self.not_wanted:
            self.wrong.append("%s got event %d of before the consumer was created" % (worker, event_id))
        order = what[0], what[2]
        if event_id not in self.seen:
            if event_id < self.last[order]:
                self.wrong.append("%s got event %d of %s after event %d" % (worker, event_id, what, self.last[order]))
            self.last[order] = event_id
            self.late += event_id < self.highest
            self.highest = max(self.highest, event_id)
        self.seen[event_id] += 1

    def acked(self, words, offset):
        worker, generation, event_id = words[1], int(words[2]), int(words[3])
        for _, batch in reversed(self.batches[worker, generation]):
            if event_id in batch:
                for handled in batch[:batch.index(event_id) + 1]:
                    self.acknowledged.setdefault(handled, (offset, generation))
                return


def main():
    path, log_path, what = sys.argv[1:4]
    events = read_events(path, wanted_by(what))
    before = read_ids(sys.argv[4]) if len(sys.argv) > 4 else set()
    after = read_ids(sys.argv[5]) if len(sys.argv) > 5 else set()
    log = Log(log_path, events, before)
    missing = sorted(set(events) - set(log.seen) - after)
    more_than_once = sum(1 for count in log.seen.values() if count > 1)
    for event_id in missing:
        log.wrong.append("event %d of %s was not delivered" % (event_id, events[event_id]))
    print("%d events, %d delivered, %d of them after one of a higher ID, %d more than once; %d deliveries" %
          (len(events), len(log.seen), log.late, more_than_once, sum(log.seen.values())), file=sys.stderr)
    if len(log.seen) == 0:
        log.wrong.append("nothing was delivered")
    for line in log.wrong[:10]:
        print(line)
    if len(log.wrong) > 10:
        print("and %d more" % (len(log.wrong) - 10))


main()
