#!/usr/bin/env bash
# What doc/cdc.md, doc/monitoring.md, doc/orms.md, doc/shards.md and doc/tools.md
# show of programs, configuration and shell commands stands in files that other
# tests run, but for indentation.
set -u
. "$(dirname "$0")/lib/tap.sh"
cd "$here/../.." || exit

/usr/bin/python3 -B - <<'PY'
import pathlib
import re


def bare(text):
    return "".join(line.strip() + "\n" for line in text.splitlines() if line.strip())


run = [bare(path.read_text())
       for path in [*pathlib.Path("test/clients").rglob("*.*"), *pathlib.Path("test/t").glob("*.sh"),
                    *pathlib.Path("doc/examples/monitoring").glob("*.*")]
       if path.is_file() and "lock" not in path.name]
missing = shown = 0
for path in sorted(pathlib.Path("doc").glob("*.md")):
    if path.name not in ("cdc.md", "monitoring.md", "orms.md", "shards.md", "tools.md"):
        continue
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", path.read_text(), re.M | re.S):
        if language in ("sql", "text"):
            continue        # test/t/readme.sh runs these
        shown += 1
        if not any(bare(block) in text for text in run):
            missing += 1
            print(f"# no test runs this of {path}:\n" + re.sub("^", "# ", block, flags=re.M))
print(f"# {shown} blocks")
raise SystemExit(missing > 0 or shown == 0)
PY
ok 'the code of the documentation is what tests run'
done_testing
