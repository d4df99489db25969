"""Runs what doc/examples/monitoring has for other programs, as they would.

    queries.py metrics FILE         the metrics that postgres_exporter makes of its queries
    queries.py names FILE...        the names of these metrics, without a server
    queries.py table FILE...        the same as a table for a page
    queries.py alerts FILE          the metrics that alert rules name
    queries.py panels FILE ORDERS   what the panels of a dashboard show
    queries.py page FILE            the results of the queries in the tables of a page

Ages are shown in whole hours, since the shop's times are relative to now. The
connection is that of the PG* variables.
"""
import datetime
import itertools
import json
import pathlib
import re
import sys

import psycopg2


def run(sql):
    """The names of the columns, and the rows."""
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return [column.name for column in cursor.description], cursor.fetchall()


def shown(name, value):
    if isinstance(value, datetime.timedelta):
        value, name = value.total_seconds(), "seconds"
    if value is None:
        return ""
    if "seconds" in name or name in ("age", "lag", "median", "time_left"):
        return f"{int(value) // 3600}h"
    if isinstance(value, (datetime.datetime, datetime.date)):
        return "TIME"
    return f"{value:g}" if isinstance(value, float) else str(value)


def exporter_file(path):
    """The queries of a file, in the part of YAML that it is written in.

    Returns {namespace: {"query": text, "metrics": {column: (usage, description)}, ...}}.
    """
    queries, query, block = {}, None, None
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if block is not None and (indent >= 4 or not line):
            block.append(line[4:])
        elif not line or line.startswith("#"):
            continue
        elif match := re.fullmatch(r"(\w+):", line):
            block, query = None, queries.setdefault(match[1], {"metrics": {}})
        elif line == "  query: |":
            block = query["query"] = []
        elif line == "  metrics:":
            block = None
        elif match := re.fullmatch(r"  (\w+): (\w+)", line):
            query[match[1]] = match[2]
        elif match := re.fullmatch(r"    - (\w+):", line):
            column = query["metrics"][match[1]] = {}
        elif match := re.fullmatch(r'        (\w+): "([^"]+)"', line):
            column[match[1]] = match[2]
        else:
            raise SystemExit(f"{path}:{number}: not understood: {line}")
    for query in queries.values():
        query["query"] = "\n".join(query["query"])
    return queries


def names(path):
    return {f"{namespace}_{column}" for namespace, query in exporter_file(path).items()
            for column, about in query["metrics"].items() if about["usage"] != "LABEL"}


def table(*paths):
    for namespace, query in {name: query for path in paths for name, query in exporter_file(path).items()}.items():
        described = query["metrics"].items()
        labels = ", ".join(column for column, about in described if about["usage"] == "LABEL")
        for column, about in described:
            if about["usage"] != "LABEL":
                print(f"| `{namespace}_{column}` | {labels} | {about['description']} |")


def metrics(path):
    for namespace, query in exporter_file(path).items():
        columns, rows = run(query["query"])
        described = query["metrics"]
        assert columns == list(described), f"{namespace}: columns {columns}, metrics {list(described)}"
        assert all(about["description"] and about["usage"] in ("LABEL", "GAUGE") for about in described.values())
        labels = [column for column in columns if described[column]["usage"] == "LABEL"]
        for row in sorted(rows):
            row = dict(zip(columns, row))
            label = ",".join(f'{column}="{row[column]}"' for column in labels)
            for column in columns:
                if column not in labels:
                    float(row[column])
                    print(f"{namespace}_{column}{{{label}}} {shown(column, row[column])}")


def alerts(path):
    text = pathlib.Path(path).read_text()
    for expression in re.findall(r"^ +expr: (.*\n(?:          .*\n)*)", text, re.M):
        print(*re.findall(r"ordcancel_\w+", expression), sep="\n")


def grafana(sql, orders):
    """The text that Grafana sends, for a period of 30 days."""
    now = datetime.datetime.now(datetime.timezone.utc)
    until, since = (f"'{time:%Y-%m-%dT%H:%M:%SZ}'" for time in (now + datetime.timedelta(minutes=1),
                                                              now - datetime.timedelta(days=30)))
    sql = re.sub(r"\$__timeFilter\(([^)]*)\)", rf"\1 BETWEEN {since} AND {until}", sql)
    sql = sql.replace("$__timeFrom()", since).replace("$__timeTo()", until)
    sql = sql.replace("${orders:sqlstring}", "'" + orders.replace("'", "''") + "'")
    assert "$" not in sql, sql
    return sql


def panels(path, orders):
    dashboard = json.loads(pathlib.Path(path).read_text())
    assert dashboard["uid"] and dashboard["schemaVersion"] >= 39
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            print(f"${variable['name']}:", *sorted(row[0] for row in run(grafana(variable["query"], ""))[1]))
    flat = [panel for outer in dashboard["panels"] for panel in [outer, *outer.get("panels", [])]]
    assert len({panel["id"] for panel in flat}) == len(flat), "the ids of panels are unique"
    places = [(x, y) for place in (panel["gridPos"] for panel in flat)
              for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    assert len(set(places)) == len(places), "panels do not overlap"
    assert max(x for x, _ in places) == 23, "the dashboard is 24 columns wide"
    assert len(places) == 24 * (max(y for _, y in places) + 1), "and has no gaps"
    for panel in flat:
        if panel["type"] == "row":
            continue
        for target in panel["targets"]:
            columns, rows = run(grafana(target["rawSql"], orders))
            if target["format"] == "time_series":
                assert columns[0] == "time" and rows == sorted(rows), panel["title"]
            print(f"== {panel['title']}: {' '.join(columns)}")
            for row in itertools.islice(rows, 4):
                print("|".join(shown(column, value) for column, value in zip(columns, row)))


def page(path):
    for line in pathlib.Path(path).read_text().splitlines():
        for sql in re.findall(r"`(SELECT [^`]*)`", line if line.startswith("|") else ""):
            if "cron." in sql:
                continue
            columns, rows = run(sql)
            print(f"== {line.split('|')[1].strip()}: {len(rows)}")


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "names":
        print(*sorted(set().union(*map(names, arguments))), sep="\n")
    else:
        {"table": table, "metrics": metrics, "alerts": alerts, "panels": panels, "page": page}[what](*arguments)
