#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports are pages in which nothing is injected, and that say what there is to say; traces are JSON with what
Perfetto wants. The applications are views.c's.
usage: views.py VIEWS TEXT"""
import collections
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ALLOWED = set("""html head meta link title style body a header h1 h2 h3 p span div dl dt dd nav main section ul li i
details summary svg g rect path text table caption thead tbody tr th td pre br footer small""".split())
VOID = {"meta", "link", "br"}
LARGEST = 2 << 20
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("FAILED:", what)


class Page(html.parser.HTMLParser):
    """What a browser makes of it, as far as tags go: each closed in order, and only those that the report has."""

    def __init__(self, name):
        super().__init__(convert_charrefs=True)
        self.name, self.open, self.ids, self.links, self.text = name, [], [], [], []
        self.counts, self.levels = collections.Counter(), []

    def handle_starttag(self, tag, attrs):
        check(tag in ALLOWED, f"{self.name}: a tag <{tag}>")
        self.counts[tag] += 1
        names = [k for k, _ in attrs]
        check(len(names) == len(set(names)), f"{self.name}: <{tag}> has an attribute twice")
        for key, value in attrs:
            check(not key.startswith("on"), f"{self.name}: {key} of <{tag}>")
            if key == "id":
                self.ids.append(value)
            if key in ("href", "src"):
                check(value.startswith("#") or value == "data:,", f"{self.name}: a link to {value[:60]}")
                self.links.append(value)
        if tag in ("h1", "h2", "h3"):
            self.levels.append(int(tag[1]))
        if tag == "th":
            check("scope" in names, f"{self.name}: a th without scope")
        if tag == "svg":
            check("role" in names and "aria-label" in names, f"{self.name}: an svg without words")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        check(self.open and self.open[-1] == tag, f"{self.name}: </{tag}> closes {self.open[-1:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def handle_comment(self, data):
        check(False, f"{self.name}: a comment")


def read_page(path, name):
    raw = open(path, "rb").read()
    check(len(raw) < LARGEST, f"{name}: {len(raw)} bytes")
    text = raw.decode("utf-8")  # raises where it is no UTF-8
    check(not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), f"{name}: a control character")
    page = Page(name)
    page.feed(text)
    page.close()
    check(not page.open, f"{name}: open at the end: {page.open}")
    check(len(page.ids) == len(set(page.ids)), f"{name}: an id twice")
    check(page.levels[0] == 1 and all(b - a <= 1 for a, b in zip(page.levels, page.levels[1:])), f"{name}: headings")
    check(page.counts["h1"] == 1 and page.counts["main"] == 1, f"{name}: its outline")
    if name != "many":
        for link in page.links:
            check(not link.startswith("#") or link[1:] in page.ids, f"{name}: {link} leads nowhere")
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        xml.etree.ElementTree.fromstring(svg)  # raises where it is not well-formed
    return "".join(page.text).replace("\xa0", " "), page, text


def read_trace(path, name):
    trace = json.load(open(path, encoding="utf-8"))
    tracks, spans, ends, kinds = {}, {}, {}, collections.Counter()
    named = set()
    for e in trace["traceEvents"]:
        ph = e["ph"]
        kinds[ph] += 1
        kinds[e["name"]] += 1
        check(e["pid"] >= 1 and isinstance(e["name"], str), f"{name}: {e}")
        if ph == "M":
            check(e["args"], f"{name}: {e}")
            named.add((e["name"], e["pid"], e["tid"] if e["name"].startswith("thread") else 0))
            continue
        check(e["ts"] >= 0, f"{name}: {e}")
        if ph == "X":
            check(e["dur"] >= 0 and e["tid"] >= 1 and "stage" in e["args"], f"{name}: {e}")
            tracks.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["ts"] + e["dur"]))
        elif ph in "be":
            key = (e["cat"], e["id"])
            (spans if ph == "b" else ends).setdefault(key, []).append(e["ts"])
        elif ph == "i":
            check(e["s"] in "tpg", f"{name}: {e}")
        elif ph == "C":
            check(all(isinstance(v, int) and v >= 0 for v in e["args"].values()), f"{name}: {e}")
        else:
            check(False, f"{name}: {e}")
    for key, found in tracks.items():
        found.sort()
        check(all(a[1] <= b[0] + 0.002 for a, b in zip(found, found[1:])), f"{name}: slices of {key} overlap")
        check(("process_name", key[0], 0) in named and ("thread_name", *key) in named, f"{name}: {key} has no name")
    check(spans.keys() == ends.keys(), f"{name}: spans without begin or end {spans.keys() ^ ends.keys()}")
    for key in spans:
        check(len(spans[key]) == len(ends.get(key, [])) and spans[key][0] <= ends[key][0], f"{name}: {key}")
    return kinds


NODE = re.compile(r'    (s\d+_r\d+) \[label="((?:[^"\\]|\\.)*)"(?:, [a-z]+="[a-z#0-9,]*")*\];')
EDGE = re.compile(r"  (s\d+_r\d+) -> (s\d+_r\d+)(?: \[penwidth=2\])?;")
OTHER = re.compile(r'digraph plan \{|  rankdir=LR;|  fontname="[A-Za-z,-]+";|  node \[.*\];|  subgraph cluster_\d+ \{'
                   r'|    style="rounded(,dashed)?";|    color="#2f78bd";|    label="(?:[^"\\]|\\.)*";|  \}|\}')


def read_plans(out, name):
    """The plans as text; and their graphs, of which each line has its form, and each edge two nodes."""
    dot = open(os.path.join(out, name + ".dot"), encoding="utf-8").read()
    check(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", dot), f"{name}.dot: a control character")
    for graph in re.split(r"^(?=digraph)", dot, flags=re.M)[1:]:
        nodes, ends = set(), set()
        for row in graph.rstrip("\n").split("\n"):
            node, edge = NODE.fullmatch(row), EDGE.fullmatch(row)
            if node:
                check(node[1] not in nodes, f"{name}.dot: {row} twice")
                nodes.add(node[1])
            elif edge:
                ends |= {edge[1], edge[2]}
            else:
                check(OTHER.fullmatch(row), f"{name}.dot: {row}")
        check(ends <= nodes and nodes, f"{name}.dot: edges of no node: {ends - nodes}")
        try:
            subprocess.run(["dot", "-Tsvg"], input=graph.encode(), stdout=subprocess.DEVNULL, check=True)
        except FileNotFoundError:
            pass  # Graphviz is not there
    return open(os.path.join(out, name + ".plan"), "rb").read().decode("utf-8", "replace")


LINE = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (ERROR|WARN|INFO|DEBUG|TRACE) [A-Za-z]+: .*")


def read_log(raw):
    """The log of the hostile scene: each line is one, of plain text."""
    text = raw.decode("utf-8")  # raises where it is no UTF-8
    check(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text), "the log: a control character")
    lines = text.rstrip("\n").split("\n")
    check(len(lines) > 60, f"the log: {len(lines)} lines")
    for line in lines:
        check(LINE.fullmatch(line) and len(line) < 20000, f"the log: {line[:200]!r}")
    check(re.search("Lost task [01]\\.3 in stage", text), "the log: no task was lost four times")
    for word in ("Submitted application", "Got job 0", "failed", "Execution 0 finished"):
        check(word in text, f"the log does not say {word!r}")


def check_plans(plans):
    before, after, sort = plans["words"].split("\n\n")[:3]
    check("stage 1: 3 tasks, the result; runs; partitioned by hash; MEMORY_ONLY, 0 of 3 cached" in before, before)
    check("stage 0: 6 tasks, writes 3 partitions by hash, combined first; runs" in before, before)
    check("reads 192.8 KiB of files" in before, before)
    check("3 of 3 cached" in after and "combined first; not needed" in after, after)
    check("stage 2: 2 tasks, the result; runs" in sort
          and "stage 1: 3 tasks, writes 2 partitions by range; runs" in sort,
          sort)
    told = plans["words"].split("\n\n")[3]
    check("the result; ran in job 2 as stage " in told and "2 of 2 tasks: median " in told, told)
    check("writes 3 partitions by hash, combined first; skipped in job 2; ran in job 0 as stage " in told, told)
    check("10,044 rows made" in told or "rows made" in told, told)
    check("largest partition " in told, told)
    last = plans["rounds"]
    check(last.count("; runs") == 1 and last.count("skipped: its output is there") == 1, last)
    check(last.count("not needed") == 22, last)


def main():
    views, text = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([views, out, text], check=True, stderr=subprocess.PIPE)
        read_log(done.stderr)
        pages, traces, plans = {}, {}, {}
        for file in sorted(os.listdir(out)):
            name, ext = os.path.splitext(file)
            if ext == ".html":
                pages[name] = read_page(os.path.join(out, file), name)
            elif ext == ".json":
                traces[name] = read_trace(os.path.join(out, file), name)
            elif ext == ".dot":
                plans[name] = read_plans(out, name)
    check_plans(plans)
    check(traces["faults"]["stage again"] > 0 and traces["faults"]["shuffle output lost"] > 0, "faults: its instants")
    check(len(pages) == 9 and len(traces) == 9, f"there are {sorted(pages)}")

    said = {name: page[0] for name, page in pages.items()}
    for name, words in {
        "words": ["counts of words", "cached ●", "Nothing failed", "how many words there are"],
        "failures": ["1 executor was lost", "attempts of tasks failed", "it was \"in the <i>way</i>\"",
                     "is <b>not</b> \"liked\" ]]> --> \\ � � ä", "Computed again"],
        "hints": ["One partition of stage 1 holds", "was cached and never read", "as long as the median",
                  "1,000 tasks of", "to disk", "was computed in", "One key makes up 79 % of what stage 0 writes",
                  "rows of the key 7 into partition 5", "of the shuffle of stage 0 holds", "Most frequent keys"],
        "rounds": ["skipped"],
        "faults": ["failed", "Computed again"],
        "hostile": ["</td></svg><script>alert(3)</script>", "<img src=x onerror=alert(1)>", "</title><script>alert(1)</script>&amp;"],
        "nothing": ["No job was run."],
        "sql": ["2 queries were run", "SELECT p.key % 10 AS k, count(*) AS n FROM pairs p", "Filter", "DIVIDE_BY_ZERO"],
        "many": ["100,000", "drawn as one"],
    }.items():
        for word in words:
            check(word in said[name], f"{name}: does not say {word!r}")
    check("was cached and never read" not in said["words"], "words: its cache was read")
    check(traces["failures"]["failure"] == 3 and traces["failures"]["executor lost"] == 1, "failures: its instants")
    check(traces["failures"]["retry"] >= 2 and traces["hints"]["spill"] > 0, "retries and spills")
    check(traces["words"]["cached bytes"] > 0 and traces["words"]["running tasks"] > 0, "words: its counters")
    check(traces["many"]["X"] == 100000, f"many: {traces['many']['X']} tasks")
    print(f"{len(pages)} reports, {sum(t['X'] for t in traces.values()):,} tasks in traces, {failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
