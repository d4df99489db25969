#!/usr/bin/python3
"""Fills doc/reference.md from the catalog, or checks that it is filled.

    page.py write doc < catalog.json    rewrites the generated blocks
    page.py check doc < catalog.json    prints what is wrong, and fails if anything is

A block is what stands between a line "<!-- generated: function cancel_order -->"
and the next "<!-- end -->". The rest of the page is written by hand; what it
names has to exist. So do the errors that doc/errors.md names.
"""

import difflib
import json
import pathlib
import re
import sys
import textwrap

WIDTH = 120
BLOCK = re.compile(r'^<!-- generated: (.*) -->\n(?:.*\n)*?<!-- end -->\n', re.M)
TYPES = {
    'timestamp with time zone': 'timestamptz',
    'ordcancel_internal.table_ref': 'regclass',
}
SET_BY = {
    'user': 'anyone',
    'superuser': 'superuser',
    'sighup': '`postgresql.conf`',
    'postmaster': '`postgresql.conf`',
}


def short_type(name):
    return TYPES.get(name, re.sub(r'^ordcancel\.', '', name))


def short_default(expression):
    return re.sub(r'::[a-z ]+(\[\])?$', '', expression)


def prose(comment):
    """A comment as Markdown: words with an underscore, a schema or parentheses are names, but for this state."""
    name = r'\bordcancel\.\w+(?:\(\))?|\b[a-z]+(?:_[a-z]+)+\b(?:\(\))?|\b[a-z]+\(\)'
    quoted = re.sub(name, lambda m: m.group() if m.group() == 'in_progress' else '`%s`' % m.group(), comment)
    return quoted.replace('|', r'\|')


def codes(function):
    return re.search(r'^Raises (.*)\.$', function['comment'], re.M).group(1).split(', ')


def row(*cells):
    return '| ' + ' | '.join(cells) + ' |\n'


def header(*names):
    return row(*names) + row(*['---'] * len(names))


class Catalog:
    def __init__(self, data):
        self.settings = data['settings']
        self.conditions = data['conditions']
        self.others = data['others']
        self.words = data['words']          # of the functions that look for problems
        self.relations = {r['name']: r for r in data['relations']}
        self.functions = {}
        for function in data['functions']:
            self.functions.setdefault(function['name'], []).append(function)
        self.objects = {}       # "function cancel_order" to its comment
        for name, declared in self.functions.items():
            self.objects[declared[0]['kind'] + ' ' + name] = declared[0]['comment'].splitlines()[0]
        for name, relation in self.relations.items():
            self.objects[relation['kind'] + ' ' + name] = relation['comment']

    def names(self):
        settings = {s['name'].split('.')[1] for s in self.settings}
        return set(self.functions) | set(self.relations) | set(self.others) | settings

    # ---------------------------------------------------------------- the blocks

    def function(self, name):
        declared = self.functions[name]
        inputs, outputs = [], []
        # Declared twice, they differ in the type of one argument.
        for n, argument in enumerate(declared[0]['arguments']):
            types = dict.fromkeys(short_type(f['arguments'][n]['type']) for f in reversed(declared))
            if 'text' in types:
                types = ['text'] + [t for t in types if t != 'text']
            line = argument['name'] + ' ' + ' | '.join(types)
            if argument['default']:
                line += ' DEFAULT ' + short_default(argument['default'])
            (outputs if argument['out'] else inputs).append(line)
        result = ''
        if outputs:
            kind = 'SETOF record' if declared[0]['set'] else 'record'
            result = ' → %s (\n    %s\n)' % (kind, ',\n    '.join(outputs))
        elif declared[0]['kind'] == 'function':
            result = ' → ' + ('SETOF ' if declared[0]['set'] else '') + short_type(declared[0]['result'])
        verb = 'CALL ' if declared[0]['kind'] == 'procedure' else ''
        call = '%s%s(%s)' % (verb, name, ', '.join(inputs))
        if len(call) > 70 or len(inputs) > 2:
            call = '%s%s(\n    %s\n)' % (verb, name, ',\n    '.join(inputs))
        raises = 'Raises %s.' % ', '.join(codes(declared[0]))
        return '```\n%s%s\n```\n\n%s\n' % (call, result, textwrap.fill(raises, WIDTH))

    def columns(self, name):
        columns = self.relations[name]['columns']
        with_default = any(c['default'] for c in columns)
        text = header('column', 'type', *['default'] * with_default, '')
        for c in columns:
            default = ['`%s`' % short_default(c['default']) if c['default'] else ''] * with_default
            text += row('`%s`' % c['name'], short_type(c['type']), *default, prose(c['comment']))
        return text

    def settings_table(self):
        text = header('setting', 'default', 'set by', '')
        for s in self.settings:
            text += row('`%s`' % s['name'], '`%s`' % s['default'] if s['default'] else 'empty', SET_BY[s['context']],
                        prose(s['comment']))
        return text

    def errors(self):
        text = header('SQLSTATE', 'condition', 'raised by')
        for c in self.conditions:
            by = [n for n, declared in self.functions.items() if c['sqlstate'] in codes(declared[0])]
            rest = [n for n in self.functions if n not in by]
            listed = ', '.join('`%s`' % n for n in sorted(min(by, rest, key=len)))
            text += row(c['sqlstate'], '`%s`' % c['condition'],
                        'plain writes only' if not by else listed if len(by) <= len(rest) else 'all except ' + listed)
        return text

    def contents(self, page):
        text = header('', '')
        for heading, anchor, blocks in page.sections():
            if heading.startswith('## ') and 'contents' not in blocks:
                text += row('**[%s](#%s)**' % (heading[3:], anchor), '')
            elif not blocks:
                text += row('[%s](#%s)' % (heading[4:], anchor), '')
            for block in ', '.join(blocks).split(', '):
                if block in self.objects:
                    kind, name = block.split()
                    twice = name in self.relations and name in self.functions
                    also = ' (%s)' % kind if twice and kind != 'function' else ''
                    text += row('[`%s`](#%s)%s' % (name, anchor, also), prose(self.objects[block]))
        return text

    def fill(self, block, page):
        if block == 'contents':
            return self.contents(page)
        if block == 'settings':
            return self.settings_table()
        if block == 'errors':
            return self.errors()
        objects = block.split(', ')
        if not set(objects) <= set(self.objects):
            return None
        kind, name = objects[0].split()
        if len(objects) > 1 and len({self.columns(o.split()[1]) for o in objects}) > 1:
            return 'They differ.\n'
        return self.function(name) if kind in ('function', 'procedure') else self.columns(name)


class Page:
    def __init__(self, path):
        self.path = path
        self.text = path.read_text()

    def without_code(self):
        return re.sub(r'^```.*?^```$', '', self.text, flags=re.M | re.S)

    def anchors(self):
        """As GitHub and GitLab make them of headings."""
        seen = {}
        for heading in re.findall(r'^#+ (.*)$', self.without_code(), re.M):
            slug = re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-')
            count = seen[slug] = seen.get(slug, -1) + 1
            yield heading, slug + ('-%d' % count if count else '')

    def sections(self):
        """Each heading of the second and third level, its anchor, and the blocks before the next."""
        anchors = dict(self.anchors())
        for part in re.split(r'^(?=###? )', self.without_code(), flags=re.M)[1:]:
            heading = part.splitlines()[0]
            yield heading, anchors[heading.lstrip('# ')], re.findall(r'^<!-- generated: (.*) -->$', part, re.M)

    def filled(self, catalog):
        def block(match):
            content = catalog.fill(match.group(1), self)
            if content is None:
                return match.group(0)
            return '<!-- generated: %s -->\n%s<!-- end -->\n' % (match.group(1), content)
        return BLOCK.sub(block, self.text)


def problems_of_reference(page, catalog):
    ends = [m.group(1) for m in BLOCK.finditer(page.text)]
    blocks = ', '.join(ends).split(', ')
    wanted = {'contents', 'settings', 'errors'} | set(catalog.objects)
    for block in sorted(set(blocks) - wanted):
        yield 'there is no ' + block
    for block in sorted(wanted - set(blocks)):
        yield 'the page lacks a block: ' + block
    for block in sorted({b for b in blocks if blocks.count(b) > 1}):
        yield 'twice on the page: ' + block
    if len(re.findall('<!-- (?:generated|end)', page.text)) != 2 * len(ends):
        yield 'a block has no end'

    filled = page.filled(catalog)
    if filled != page.text:
        yield 'it is not what the catalog says: make reference\n' + ''.join(difflib.unified_diff(
            page.text.splitlines(True), filled.splitlines(True), 'doc/reference.md', 'catalog'))

    # What is written by hand. "ordcancel.refunded", in quotes, is the type of a CloudEvent.
    for name in sorted(set(re.findall(r'(?<!")\bordcancel\.([a-z_]+)', page.text)) - catalog.names()):
        yield 'there is no ordcancel.' + name
    for part in re.split(r'^(?=###? )', page.text, flags=re.M):
        name = part.splitlines()[0].lstrip('# ')
        declared = catalog.functions.get(name)
        for title, table in re.findall(r'^\| (argument|column) \|  ?\|\n\| --- .*\n((?:\|.*\n)+)', part, re.M):
            named = set(re.findall(r'`([a-z_]+)`', ' '.join(line.split('|')[1] for line in table.splitlines())))
            if declared:
                known = {a['name'] for a in declared[0]['arguments'] if bool(a['out']) == (title == 'column')}
                for missing in sorted(named - known):
                    yield '%s has no %s %s' % (name, title, missing)
    output = False          # what psql prints is as wide as it is
    words = re.search(r'^\| problem \| \|\n\| --- .*\n((?:\|.*\n)+)', page.text, re.M)
    for word in sorted(set(re.findall(r'`([a-z_]+)`', ' '.join(re.findall(r'^\|([^|]*)\|', words.group(1), re.M))))
                       - set(catalog.words)) if words else ['(no table of problems)']:
        yield 'health() knows no problem ' + word
    for number, line in enumerate(page.text.splitlines(), 1):
        if line.startswith('```'):
            output = line == '```text'
        elif len(line) > WIDTH and not output and not line.startswith('|'):
            yield 'line %d has %d characters' % (number, len(line))


def problems_of_links(page, files):
    anchors = {anchor for _, anchor in page.anchors()} | set(re.findall(r'<a id="([^"]+)">', page.text))
    for file in files:
        pattern = r'\]\(#([^)]+)\)' if file == page.path else r'\]\([^)]*reference\.md#([^)]+)\)'
        for anchor in sorted(set(re.findall(pattern, file.read_text())) - anchors):
            yield '%s links to #%s, which is not on the page' % (file.name, anchor)


def problems_of_errors(page, catalog):
    known = {(c['sqlstate'], c['condition']) for c in catalog.conditions}
    named = set(re.findall(r'^\| (OC\d\d\d) \| `(\w+)` \|', page.text, re.M))
    for code, condition in sorted(known ^ named):
        yield '%s %s: %s' % (code, condition, 'errors.md lacks it' if (code, condition) in known else 'there is none')
    others = set(re.findall(r'\b[0-9][0-9A-Z]{4}\b', ' '.join(re.findall(r'^\|([^|]*)\|', page.text, re.M))))
    raised = {code for declared in catalog.functions.values() for code in codes(declared[0])}
    for code in sorted(c for c in raised if not c.startswith('OC') and c not in others):
        yield 'errors.md lacks %s, which functions raise' % code
    for code in sorted(c for c in raised if c.startswith('OC') and c not in {k[0] for k in known}):
        yield 'a function is said to raise %s, which is none' % code


def main():
    action, doc = sys.argv[1], pathlib.Path(sys.argv[2])
    catalog = Catalog(json.load(sys.stdin))
    page = Page(doc / 'reference.md')
    if action == 'write':
        page.path.write_text(page.filled(catalog))
        page = Page(page.path)
    files = [doc.parent / 'README.md', *sorted(doc.glob('*.md'))]
    problems = [*problems_of_reference(page, catalog), *problems_of_links(page, files),
                *problems_of_errors(Page(doc / 'errors.md'), catalog)]
    for problem in problems:
        print('reference:', problem)
    raise SystemExit(bool(problems))


main()
