#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the data of the examples that have a seed (see FILES), the same each time.

usage: make.py [DIRECTORY]
"""
import sys
from pathlib import Path

SEED = 20240229


def numbers(seed):
    """Whole numbers below 2**32, by an xorshift generator that will not change with Python."""
    state = seed
    while True:
        state ^= state << 13 & (1 << 64) - 1
        state ^= state >> 7
        state ^= state << 17 & (1 << 64) - 1
        yield state >> 32


def edges(draw, pages=600, links=6):
    """A web that grows: each page links to earlier ones, popular ones more often; some link back."""
    wanted, lines = [1, 2], ["1 2", "2 1"]
    for page in range(3, pages + 1):
        targets = sorted({wanted[next(draw) % len(wanted)] for _ in range(links)})
        for target in targets:
            lines.append(f"{page} {target}")
            if next(draw) % 8 == 0:
                lines.append(f"{target} {page}")
        wanted += [*targets, page]
    return lines


def points(draw, n=3000):
    """Four clouds: sums of four draws around a centre; in thousandths, so that no rounding differs."""
    lines = []
    for _ in range(n):
        x, y = ((2, 3), (-4, 1), (5, -5), (-3, -6))[next(draw) % 4]
        off_x, off_y = (sum(next(draw) % 2001 - 1000 for _ in range(4)) for _ in "xy")
        lines.append(f"{(1000 * x + off_x) / 1000:.3f} {(1000 * y + off_y) / 1000:.3f}")
    return lines


def requests(draw, n=900):
    """A day of a small web server; one line in a hundred is damaged."""
    paths = ["/", "/index.html", "/about.html", "/news/", "/images/logo.png", "/style.css",
             "/search", "/login", "/favicon.ico", "/robots.txt", "/old/page.html"]
    paths += [f"/articles/{i}.html" for i in range(40)]
    lines = []
    for i in range(n):
        second = i * 86400 // n
        at = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        path = paths[next(draw) % len(paths) * (next(draw) % 1000) // 1000]
        query = f"?q={next(draw) % 50}" if path == "/search" else ""
        status = 404 if path.startswith("/old") else (200, 200, 200, 200, 304, 500)[next(draw) % 6]
        size = next(draw) % 20000 if status == 200 else "-"
        line = (f'192.0.2.{next(draw) % 254 + 1} - - [29/Feb/2024:{at} +0000] '
                f'"GET {path}{query} HTTP/1.1" {status} {size}')
        lines.append(line[:next(draw) % 60] if next(draw) % 100 == 0 else line)
    return lines


def customers(draw, n=120):
    """Made-up customers of a made-up shop; more of them in some countries than in others."""
    syllables = ["ba", "do", "fi", "ka", "lu", "mi", "no", "ra", "se", "ti", "vo", "ze"]
    countries = ["Chile", "Denmark", "Estonia", "Ghana", "India", "Japan", "Kenya", "Norway"]
    lines = []
    for i in range(n):
        name = "".join(syllables[next(draw) % len(syllables)] for _ in range(3)).capitalize()
        country = countries[next(draw) % len(countries) * (next(draw) % 1000) // 1000]
        lines.append(f"{1000 + i},{name},{country}")
    return lines


def orders(draw, n=500):
    """Orders of these customers, in cents; some customers never order, some customers are gone."""
    return [f"{i},{1000 + next(draw) % 25 * (next(draw) % 6)},{next(draw) % 50000 / 100:.2f}"
            for i in range(1, n + 1)]


def samples(draw, n=800):
    """Points of four features, labelled by a plane with some noise; in thousandths."""
    lines = []
    for _ in range(n):
        x = [next(draw) % 4001 - 2000 for _ in range(4)]
        noise = sum(next(draw) % 2001 - 1000 for _ in range(4))
        label = 500 + 2 * x[0] - x[1] + noise > 0
        lines.append(f"{label:d} " + " ".join(f"{v / 1000:.3f}" for v in x))
    return lines


def sales(draw, n=400):
    """Sales as three systems export them that do not agree: some rows are damaged, each in its own way."""
    regions = ["North", "South", "East", "West", '"Upper, Lower"']
    comments = ["", "ok", '"said ""later"""', "paid"]
    lines = ["# exported by three systems", "day,region,price,units,comment"]
    for i in range(n):
        day = f"2024-{next(draw) % 12 + 1:02}-{next(draw) % 28 + 1:02}"
        region, price = regions[next(draw) % 5], f"{next(draw) % 9900 / 100 + 1:.2f}"
        row = [day, region, price, str(next(draw) % 40 + 1), comments[next(draw) % 4]]
        damage = next(draw) % 60
        if damage < 3:
            row[(3, 0, 1)[damage]] = ("n/a", "31.12.2024", "")[damage]
        elif damage == 3:
            row.append("extra")
        elif damage == 4:
            row = row[:3] if i % 2 else ["-----"]
        lines.append(",".join(row))
        if i % 97 == 0:
            lines.append("")
    return lines


FILES = {"edges.txt": edges, "points.txt": points, "access.log": requests,
         "customers.csv": customers, "orders.csv": orders, "samples.txt": samples, "sales.csv": sales}

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for number, (name, make) in enumerate(FILES.items()):
        lines = make(numbers(SEED + number))
        (folder / name).write_bytes("".join(line + "\n" for line in lines).encode())
