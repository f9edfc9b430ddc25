#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers for tests: files over HTTP, and a proxy that harms connections.

usage: server.py web          files under /plain, /noranges, /chunked, /moved, /flaky, /status/N
       server.py s3           the bucket b, with signatures checked; each seventh request is refused once
       server.py hdfs         a namenode and a datanode; the user is tester; each seventh request is refused once
       server.py proxy HOST PORT HARM...      each second connection meets a harm: cut, reset, delay, head, none

Prints the port, serves until its standard input ends.
"""
import base64
import gzip
import hashlib
import hmac
import html
import http.server
import itertools
import json
import os
import random
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse

LINES = b"".join(b"%d of many lines, some of them %s\n" % (i, b"long " * (i % 40)) for i in range(60000))
FILES = {
    "lines.txt": LINES,
    "empty": b"",
    "one": b"1",
    "table.csv": b"id,name\n" + b"".join(b"%d,n%d\n" % (i, i) for i in range(1000)),
    "a b.txt": b"a blank in its name\n",
    "lines.txt.gz": gzip.compress(LINES, 1),
    "cut.gz": gzip.compress(LINES, 1)[:100000],
    "one.json": b'{"id": 1}\n{"id": 2}\n',
}


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def ranged(self, body, headers=()):
        """The body, or the part of it that was asked for."""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not wanted:
            return self.reply(200, body, headers)
        first = int(wanted[1])
        last = min(int(wanted[2] or len(body)), len(body) - 1)
        if first > last:
            return self.reply(416, b"", [("Content-Range", f"bytes */{len(body)}"), *headers])
        place = ("Content-Range", f"bytes {first}-{last}/{len(body)}")
        return self.reply(206, body[first:last + 1], [place, *headers])


class Web(Quiet):
    seen = {}
    lock = threading.Lock()

    def count(self):
        with Web.lock:
            key = self.path, self.headers.get("Range")
            Web.seen[key] = Web.seen.get(key, 0) + 1
            return Web.seen[key]

    def do_GET(self):
        kind, _, name = self.path.lstrip("/").partition("/")
        name = name.replace("%20", " ")
        getattr(self, "kind_" + kind, self.unknown)(name)

    def unknown(self, name):
        self.reply(404, b"nothing here")

    def kind_plain(self, name):
        if name not in FILES:
            return self.unknown(name)
        return self.ranged(FILES[name], [("ETag", '"1"')])

    def kind_noranges(self, name):
        self.reply(200, FILES[name], [("ETag", '"1"')])

    def kind_chunked(self, name):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        body = FILES[name]
        for at in range(0, len(body), 50000):
            piece = body[at:at + 50000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def kind_moved(self, name):
        self.reply(302, b"elsewhere", [("Location", f"/plain/{name}")])

    def kind_flaky(self, name):
        """Each request fails once: 503, or half of what it should have."""
        if self.count() > 1:
            return self.ranged(FILES[name], [("ETag", '"1"')])
        if len(self.headers.get("Range") or "") % 2:
            return self.reply(503, b"later")
        self.send_response(206 if self.headers.get("Range") else 200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.close_connection = True
        return None

    def kind_short(self, name):
        """Half of the bytes, as if they were all."""
        first = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        body = FILES[name]
        if not first:
            return self.reply(200, body[:len(body) // 2])
        if first[2] == "0":
            return self.ranged(body)
        some = body[int(first[1]):int(first[2]) + 1]
        place = ("Content-Range", f"bytes {first[1]}-{first[2]}/{len(body)}")
        return self.reply(206, some[:len(some) // 2], [place])

    def kind_changing(self, name):
        """Another version at each request."""
        self.ranged(FILES[name], [("ETag", f'"{self.count()}-{time.monotonic_ns()}"')])

    def kind_stall(self, name):
        if not self.path.endswith("now") and self.headers.get("Range") == "bytes=0-0":
            return self.ranged(FILES[name])
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"a line\n")
        self.wfile.flush()
        time.sleep(60)
        return None

    def kind_status(self, name):
        self.reply(int(name), b"the server's words")

    def kind_auth(self, name):
        wanted = "Basic dXNlcjpzZWNyZXQ="  # user:secret
        if self.headers.get("Authorization") != wanted or self.headers.get("X-Test") != "yes":
            return self.reply(401, b"who are you?")
        return self.ranged(FILES[name])


# ---- S3

SECRETS = {"AKTEST": "sk/test+secret"}


def quote(text, safe="-_.~"):
    return urllib.parse.quote(text, safe=safe)


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(request, body):
    """What is wrong with a request's signature, by the rules of version 4; None: nothing."""
    given = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, "
                         r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
                         request.headers.get("Authorization") or "")
    if not given:
        return "AccessDenied"
    key, day, region, names, claimed = given.groups()
    if key not in SECRETS:
        return "InvalidAccessKeyId"
    path, _, query = request.path.partition("?")
    pairs = sorted(tuple(quote(urllib.parse.unquote(part)) for part in pair.partition("=")[::2])
                   for pair in query.split("&") if pair)
    digest = request.headers.get("x-amz-content-sha256")
    if digest != hashlib.sha256(body).hexdigest():
        return "XAmzContentSHA256Mismatch"
    lines = "".join(f"{name}:{' '.join((request.headers.get(name) or '').split())}\n"
                    for name in names.split(";"))
    canonical = "\n".join([request.command, quote(urllib.parse.unquote(path), "/-_.~"),
                           "&".join("=".join(pair) for pair in pairs), lines, names, digest])
    when = request.headers["x-amz-date"]
    text = "\n".join(["AWS4-HMAC-SHA256", when, f"{day}/{region}/s3/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    signing = ("AWS4" + SECRETS[key]).encode()
    for part in (day, region, "s3", "aws4_request"):
        signing = keyed(signing, part)
    good = hmac.compare_digest(keyed(signing, text).hex(), claimed) and when.startswith(day)
    return None if good else "SignatureDoesNotMatch"


class S3(Quiet):
    """One bucket named b. A GET of /uploads tells how many uploads are open, how many of them hold something, and how
    many parts were refused because of their object's name."""
    objects = {f"many/{name}": body for name, body in FILES.items()}
    objects |= {f"logs/2026-{month:02}/part-{n:05}": b"%d %d\n" % (month, n)
                for month in range(1, 4) for n in range(30)}
    objects |= {"logs/_hidden": b"x\n", "logs/2026-01/_SUCCESS": b"", "logs/2026-01/": b"",
                "odd/a b+c&d=e.txt": b"odd\n", "odd/\u00e4%41.txt": b"umlaut\n"}
    uploads = {}
    keys = {}
    lock = threading.Lock()
    failing = 0
    refused = 0
    tries = {}
    PAGE = 11

    def fail(self, status, code):
        body = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>no &lt;luck&gt;</Message></Error>'
        self.reply(status, body.encode())

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        words = {name: urllib.parse.unquote(value) for name, _, value in
                 (pair.partition("=") for pair in query.split("&") if pair)}
        if path == "/uploads":
            return self.reply(200, f"{len(S3.uploads)} {sum(map(bool, S3.uploads.values()))} {S3.refused}".encode())
        wrong = signature(self, body)
        if wrong:
            return self.fail(403, wrong)
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        if bucket != "b":
            return self.fail(404, "NoSuchBucket")
        with S3.lock:
            S3.failing += 1
            if S3.failing % 7 == 0 and not re.search("denied|broken", self.path):  # where one answer is waited for
                return self.fail(503, "SlowDown")
            return self.operation(key, words, body)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def operation(self, key, words, body):
        if self.command == "GET" and not key and "uploads" in words:
            begun = "".join(f"<Upload><Key>{html.escape(S3.keys[name])}</Key><UploadId>{name}</UploadId></Upload>"
                            for name in S3.uploads if S3.keys[name].startswith(words["prefix"]))
            return self.reply(200, f"<ListMultipartUploadsResult>{begun}</ListMultipartUploadsResult>".encode())
        if self.command == "GET" and not key:
            return self.list(words)
        if self.command == "GET":
            if key not in S3.objects:
                return self.fail(404, "NoSuchKey")
            data = S3.objects[key]
            return self.ranged(data, [("ETag", f'"{hashlib.md5(data).hexdigest()}"')])
        if self.command == "PUT" and "uploadId" in words and self.refuses(key, words):
            S3.refused += 1
            return self.fail(403, "AccessDenied") if "denied" in key else self.fail(500, "InternalError")
        if self.command == "PUT" and "uploadId" in words:
            S3.uploads[words["uploadId"]][int(words["partNumber"])] = body
            return self.reply(200, b"", [("ETag", f'"{hashlib.md5(body).hexdigest()}"')])
        if self.command == "PUT":
            S3.objects[key] = body
            return self.reply(200)
        if self.command == "POST" and "uploads" in words:
            name = f"up/{len(S3.objects)}+{time.monotonic_ns()}"
            S3.uploads[name] = {}
            S3.keys[name] = key
            if "lost" in key and list(S3.keys.values()).count(key) == 1:  # the first beginning is not answered
                self.close_connection = True
                return None
            return self.reply(200, f"<R xmlns='x'><UploadId>{name}</UploadId></R>".encode())
        if self.command == "POST":
            return self.complete(key, words["uploadId"], body.decode())
        if "uploadId" in words:
            S3.uploads.pop(words["uploadId"], None)
        else:
            S3.objects.pop(key, None)
        return self.reply(204)

    def refuses(self, key, words):
        """Of /broken/ and /denied/ the third part of the second file; of /shaky/ each part, twice."""
        S3.tries[words["uploadId"], words["partNumber"]] = S3.tries.get((words["uploadId"], words["partNumber"]), 0) + 1
        if "/shaky/" in key:
            return S3.tries[words["uploadId"], words["partNumber"]] <= 2
        return ("/broken/" in key or "/denied/" in key) and "part-00001" in key and words["partNumber"] == "3"

    def complete(self, key, name, body):
        parts = S3.uploads.pop(name, None)
        if parts is None:
            return self.fail(404, "NoSuchUpload")
        wanted = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>&quot;(\w+)&quot;</ETag>", body)
        if [hashlib.md5(parts.get(int(n), b"?")).hexdigest() for n, _ in wanted] != [tag for _, tag in wanted]:
            return self.reply(200, b"<Error><Code>InvalidPart</Code><Message>no</Message></Error>")
        S3.objects[key] = b"".join(parts[int(n)] for n, _ in wanted)
        return self.reply(200, b"<CompleteMultipartUploadResult><Key>k</Key></CompleteMultipartUploadResult>")

    def list(self, words):
        prefix, mark = words.get("prefix", ""), words.get("delimiter", "")
        after = base64.b64decode(words.get("continuation-token", "")).decode()
        entries = {}
        if prefix == "loop/":
            return self.reply(200, b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>bG9vcA=="
                                   b"</NextContinuationToken></ListBucketResult>")
        for key in sorted(S3.objects):
            if not key.startswith(prefix):
                continue
            head, cut, _ = key[len(prefix):].partition(mark) if mark else (key, "", "")
            entries[prefix + head + cut if cut else key] = bool(cut)
        names = [name for name in sorted(entries) if name > after]
        most = min(int(words.get("max-keys", 1000)), S3.PAGE)
        text = "<?xml version='1.0'?><!-- a listing --><ListBucketResult xmlns='http://s3'>"
        for name in names[:most]:
            shown = html.escape(name)
            text += (f"<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>" if entries[name] else
                     f"<Contents><Key>{shown}</Key><Size>{len(S3.objects[name])}</Size>"
                     f"<ETag>&quot;{hashlib.md5(S3.objects[name]).hexdigest()}&quot;</ETag></Contents>")
        if len(names) > most:
            token = base64.b64encode(names[most - 1].encode()).decode()
            text += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
        self.reply(200, (text + "</ListBucketResult>").encode())


# ---- WebHDFS

class Hdfs(Quiet):
    """A namenode, and its datanode below /dn."""
    files = {f"/many/{name}": body for name, body in FILES.items()}
    files |= {f"/logs/{day}/part-{n:05}": b"%d\n" % n for day in ("a b", "c") for n in range(20)}
    files |= {"/logs/c/_SUCCESS": b"", "/logs/.hidden": b"x\n"}
    directories = {"/"}
    lock = threading.Lock()
    failing = 0

    def fail(self, status, name, message="no \u201eluck\""):
        text = json.dumps({"RemoteException": {"exception": name, "javaClassName": "x." + name, "message": message}})
        self.reply(status, text.encode())

    def answer(self, value):
        self.reply(200, json.dumps(value).encode(), [("Content-Type", "application/json")])

    def is_directory(self, path):
        return path in Hdfs.directories or any(name.startswith(path.rstrip("/") + "/") for name in Hdfs.files)

    def status_of(self, path, suffix):
        directory = path not in Hdfs.files
        return {"pathSuffix": suffix, "type": "DIRECTORY" if directory else "FILE",
                "length": 0 if directory else len(Hdfs.files[path]), "modificationTime": 1}

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        words = {name: urllib.parse.unquote(value) for name, _, value in
                 (pair.partition("=") for pair in query.split("&") if pair)}
        path = urllib.parse.unquote(path)
        with Hdfs.lock:
            Hdfs.failing += 1
            failing = Hdfs.failing % 7 == 0
        if path.startswith("/dn"):
            return self.datanode(path[3:], words, body)
        if words.get("user.name") != "tester":
            return self.fail(401, "AccessControlException")
        if failing:
            return self.fail(403, "RetriableException")
        path = path[len("/webhdfs/v1"):].rstrip("/") or "/"
        with Hdfs.lock:
            return getattr(self, "op_" + words.get("op", "none"), self.unknown)(path, words)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def unknown(self, path, words):
        self.fail(400, "IllegalArgumentException")

    def op_GETFILESTATUS(self, path, words):
        if path not in Hdfs.files and not self.is_directory(path):
            return self.fail(404, "FileNotFoundException", f"File does not exist: {path}")
        return self.answer({"FileStatus": self.status_of(path, "")})

    def op_LISTSTATUS(self, path, words):
        if path in Hdfs.files:
            return self.answer({"FileStatuses": {"FileStatus": [self.status_of(path, "")]}})
        if not self.is_directory(path):
            return self.fail(404, "FileNotFoundException", f"File {path} does not exist.")
        head = path.rstrip("/") + "/"
        names = {name[len(head):].split("/")[0] for name in [*Hdfs.files, *Hdfs.directories]
                 if name.startswith(head) and name != head}
        return self.answer({"FileStatuses": {"FileStatus": [self.status_of(head + name, name)
                                                            for name in sorted(names)]}})

    def place(self, path, words):
        more = "".join(f"&{name}={words[name]}" for name in ("offset", "length", "overwrite") if name in words)
        return f"http://{self.headers['Host']}/dn{quote(path, '/-_.~')}?op={words['op']}{more}"

    def op_OPEN(self, path, words):
        if path not in Hdfs.files:
            return self.fail(404, "FileNotFoundException", f"File does not exist: {path}")
        return self.reply(307, b"", [("Location", self.place(path, words))])

    def op_CREATE(self, path, words):
        if words.get("noredirect") == "true":
            return self.answer({"Location": self.place(path, words)})
        return self.reply(307, b"", [("Location", self.place(path, words))])

    def op_MKDIRS(self, path, words):
        Hdfs.directories.add(path)
        return self.answer({"boolean": True})

    def op_RENAME(self, path, words):
        to = words["destination"]
        if path not in Hdfs.files or (to in Hdfs.files and words.get("renameoptions") != "OVERWRITE"):
            return self.answer({"boolean": False})
        Hdfs.files[to] = Hdfs.files.pop(path)
        return self.reply(200) if "renameoptions" in words else self.answer({"boolean": True})

    def op_DELETE(self, path, words):
        gone = [name for name in Hdfs.files if name == path or name.startswith(path + "/")]
        for name in gone:
            del Hdfs.files[name]
        Hdfs.directories -= {name for name in Hdfs.directories if name == path or name.startswith(path + "/")}
        return self.answer({"boolean": bool(gone)})

    def datanode(self, path, words, body):
        if words["op"] == "CREATE":
            Hdfs.files[path] = body
            return self.reply(201)
        data = Hdfs.files[path][int(words.get("offset", 0)):]
        return self.reply(200, data[:int(words.get("length", len(data)))])


# ---- the proxy

def pump(source, sink, most, harm):
    """Bytes from one to the other, `most` of them at most."""
    first, slow = True, 5
    try:
        while most > 0:
            data = source.recv(min(16384, most))
            if not data:
                break
            if harm == "head" and first:
                data = b"\x16\x03\x01garbled" + data[11:]
            first = False
            if harm == "delay" and slow > 0:
                time.sleep(0.05)
                slow -= 1
            sink.sendall(data)
            most -= len(data)
    except OSError:
        pass
    if harm == "reset" and most <= 0:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    if harm == "reset" and most <= 0:
        sink.close()


def proxy(host, port, harms):
    listener = socket.create_server(("127.0.0.1", 0))
    say(listener.getsockname()[1])
    harmed = itertools.cycle(harms)
    draw = random.Random(7)
    for number in itertools.count():
        client, _ = listener.accept()
        harm = next(harmed) if number % 2 else "none"
        server = socket.create_connection((host, port))
        most = draw.choice([0, 100, 1000, 30000, 200000]) if harm in ("cut", "reset") else 1 << 62
        threading.Thread(target=pump, args=(client, server, 1 << 62, "none"), daemon=True).start()
        threading.Thread(target=pump, args=(server, client, most, harm), daemon=True).start()


def say(port):
    print(port, flush=True)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Clients that leave in the middle are what is tested."""


def serve(handler):
    server = Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    say(server.server_address[1])
    server.serve_forever()


def until_input_ends():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    threading.Thread(target=until_input_ends, daemon=True).start()
    if sys.argv[1] == "web":
        serve(Web)
    elif sys.argv[1] == "s3":
        serve(S3)
    elif sys.argv[1] == "hdfs":
        serve(Hdfs)
    elif sys.argv[1] == "proxy":
        proxy(sys.argv[2], int(sys.argv[3]), sys.argv[4:])


if __name__ == "__main__":
    main()
