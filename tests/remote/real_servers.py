#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes against servers that nobody here wrote, plainly and through a proxy that harms connections.

usage: real_servers.py s3|s3rver|hdfs TOOL SERVER_PY

s3: moto's server (PyPI: moto[server]), as moto_server in PATH or MOTO_SERVER. s3rver: that of Node (npm: s3rver), which
checks signatures, in PATH or S3RVER. hdfs: a mini cluster (Maven:
hadoop-client-minicluster, hadoop-client-runtime, mockito-core 4, junit 4, junit-jupiter-api, commons-cli, slf4j), whose
class path HADOOP_MINICLUSTER holds. Where they are not there: a word, and status 77.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def skip(why):
    print(why)
    sys.exit(77)


def ask(method, url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def wait_for(url, seconds=200, method="GET"):
    for _ in range(seconds * 5):
        try:
            return ask(method, url)
        except Exception:
            time.sleep(0.2)
    raise SystemExit(f"{url} does not answer")


class Proxy:
    def __init__(self, server_py, port):
        self.process = subprocess.Popen(
            [sys.executable, server_py, "proxy", "127.0.0.1", str(port), "cut", "reset", "delay", "head"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def run(tool, *words, **environment):
    done = subprocess.run([tool, *map(str, words)], env={**os.environ, **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout.split(), done.stderr


def check(what, got, want):
    if got != want:
        raise SystemExit(f"{what}: {got}, not {want}")
    print(f"{what}: {want}")


def expect(tool, want, *words, **environment):
    status, got, complaint = run(tool, *words, **environment)
    check(" ".join(map(str, words)), (status, got[:2], complaint), (0, [str(n) for n in want], ""))


def below(n):
    return [n, n * (n - 1) // 2]


# ---- S3

AUTH = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKTEST/20260101/us-east-1/s3/aws4_request, "
                         "SignedHeaders=host, Signature=0",
        "Content-Type": "application/octet-stream"}


def open_uploads(url, headers):
    """(key, parts) of each upload that was begun and not ended; of a server that does not tell, none. One whose
    beginning was not answered, and which was not in the listing that was asked for then, stays, with no part in it."""
    try:
        listing = ask("GET", f"{url}/bucket?uploads", headers=headers).decode()
    except urllib.error.HTTPError:
        return []
    begun = re.findall(r"<Key>(.*?)</Key>.*?<UploadId>(.*?)</UploadId>", listing, re.S)
    return [(key, ask("GET", f"{url}/bucket/{key}?uploadId={upload}", headers=headers).decode().count("<Part>"))
            for key, upload in begun]


def s3(tool, server_py):
    program = os.environ.get("MOTO_SERVER") or shutil.which("moto_server")
    if not program:
        skip("moto_server is not installed: S3 is not tested against it")
    port = free_port()
    s3_server([program, "-p", str(port)], port, "/moto-api/data.json", AUTH, tool, server_py)


def s3rver(tool, server_py):
    program = os.environ.get("S3RVER") or shutil.which("s3rver")
    if not program:
        skip("s3rver is not installed: S3 is not tested against it")
    port = free_port()
    os.environ.update(ACCESS_KEY="S3RVER", SECRET_KEY="S3RVER")
    os.environ["NODE_OPTIONS"] = "--openssl-legacy-provider"  # its tokens of listings want an old cipher
    with tempfile.TemporaryDirectory() as place:
        s3_server([program, "-a", "127.0.0.1", "-p", str(port), "-d", place, "-s", "--configure-bucket", "first"], port,
                  "/first", {"Content-Type": "application/octet-stream"}, tool, server_py)


def s3_server(command, port, first, headers, tool, server_py):
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}{first}")
        proxy = Proxy(server_py, port)
        ask("PUT", f"{url}/bucket", headers=headers)
        for n in range(1100):  # more than a page
            ask("PUT", f"{url}/bucket/many/k{n:04}%20%26", body=b"%d\n" % n, headers=headers)
        ask("PUT", f"{url}/bucket/large", body=b"".join(b"%d\n" % n for n in range(500000)), headers=headers)
        ask("PUT", f"{url}/bucket/nothing", body=b"", headers=headers)
        for endpoint in (url, f"http://127.0.0.1:{proxy.port}"):
            expect(tool, below(500000), "count", "s3://bucket/large", 5, ENDPOINT=endpoint)
        expect(tool, [0, 0], "count", "s3://bucket/nothing", 1, ENDPOINT=url)
        status, got, complaint = run(tool, "count", "s3://bucket/many/k00*", 1, ENDPOINT=url)
        check("k00*", (status, got[:2], complaint), (0, ["100", "4950"], ""))
        listing = ask("GET", f"{url}/bucket?list-type=2&prefix=many%2F", headers=headers).decode()
        check("pages", "<IsTruncated>true" in listing, True)
        expect(tool, below(1100)[:2], "count", "s3://bucket/many/k{0,1}*", 1, ENDPOINT=url)
        for n, endpoint in enumerate((url, f"http://127.0.0.1:{proxy.port}")):
            check("save", run(tool, "save", f"s3://bucket/out{n}", 3000000, 3, ENDPOINT=endpoint)[::2], (0, ""))
            expect(tool, below(3000000), "count", f"s3://bucket/out{n}", 7, ENDPOINT=url)
            listing = ask("GET", f"{url}/bucket?list-type=2&prefix=out{n}%2F", headers=headers).decode()
            check("objects", re.findall(r"<Key>(.*?)</Key>", listing),
                  [f"out{n}/_SUCCESS", *[f"out{n}/part-0000{i}" for i in range(3)]])
            held = [begun for begun in open_uploads(url, headers) if n == 0 or begun[1]]
            check("open uploads", held, [])
        status, _, complaint = run(tool, "save", "s3://bucket/out0", 10, 1, ENDPOINT=url)
        check("a second save", (status, "already exists" in complaint), (1, True))
        status, _, complaint = run(tool, "count", "s3://nobody/x", 1, ENDPOINT=url)
        check("no bucket", (status, "NoSuchBucket" in complaint), (1, True))
        proxy.stop()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


# ---- HDFS

def hdfs(tool, server_py):
    path = os.environ.get("HADOOP_MINICLUSTER")
    if not path or not shutil.which("java"):
        skip("HADOOP_MINICLUSTER holds no class path: HDFS is not tested against a cluster")
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        server = subprocess.Popen(
            ["java", "-Xmx512m", "-cp", path, "org.apache.hadoop.test.MiniDFSClusterManager", "-format",
             "-datanodes", "1", "-httpport", str(port), "-nnport", str(free_port())],
            cwd=place, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            user = os.environ.get("USER", "root")
            base = f"http://127.0.0.1:{port}/webhdfs/v1"
            wait_for(f"{base}/?op=LISTSTATUS&user.name={user}")
            wait_for(f"{base}/first?op=CREATE&noredirect=true&user.name={user}", method="PUT")  # has a datanode
            proxy = Proxy(server_py, port)
            for n, host in enumerate((f"127.0.0.1:{port}", f"127.0.0.1:{proxy.port}")):
                out = f"webhdfs://{host}/out/a b{n}"
                check("save", run(tool, "save", out, 3000000, 3, USER_NAME=user)[::2], (0, ""))
                expect(tool, below(3000000), "count", out, 7, USER_NAME=user)
                expect(tool, below(3000000), "count", f"webhdfs://{host}/o*/a b{n}/part-*", 1, USER_NAME=user)
                listing = json.loads(ask("GET", f"{base}/out/{urllib.parse.quote(f'a b{n}')}"
                                                f"?op=LISTSTATUS&user.name={user}"))
                check("files", [f["pathSuffix"] for f in listing["FileStatuses"]["FileStatus"]],
                      ["_SUCCESS", "part-00000", "part-00001", "part-00002"])
            status, _, complaint = run(tool, "save", out, 10, 1, USER_NAME=user)
            check("a second save", (status, "already exists" in complaint), (1, True))
            status, _, complaint = run(tool, "count", f"webhdfs://127.0.0.1:{port}/none", 1, USER_NAME=user)
            check("nothing there", (status, "does not exist" in complaint), (1, True))
            status, _, complaint = run(tool, "save", f"webhdfs://127.0.0.1:{port}/mine", 10, 1, USER_NAME="other")
            check("no right", (status, "AccessControlException" in complaint), (1, True))
            proxy.stop()
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    {"s3": s3, "s3rver": s3rver, "hdfs": hdfs}[sys.argv[1]](*sys.argv[2:])
