#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that sends what no client should: bad-requests.py PORT [TLS] prints a line "ok|wrong NAME: what came" for each, then lives on
a request that must work. Targets are the names, so that the application's journal tells what got through."""
import re
import socket
import ssl
import sys
import time

PORT = int(sys.argv[1])
WITH_TLS = len(sys.argv) > 2
HOST = b"Host: x\r\nConnection: close\r\n"
CLOSED = "closed"  # without an answer


def connect():
    client = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    if not WITH_TLS:
        return client
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(client)


def ask(data, pause_s=0.0):
    """The statuses that come back until the server closes."""
    client = connect()
    answer = b""
    try:
        for i in range(0, len(data), 1) if pause_s else [0]:
            client.sendall(data[i:i + 1] if pause_s else data)
            time.sleep(pause_s)
    except OSError:
        pass  # it has had enough
    try:
        while piece := client.recv(65536):
            answer += piece
    except TimeoutError:
        return "nothing for 30 s"
    except OSError:
        pass
    client.close()
    # libmicrohttpd 0.9.75 sends the head of its own refusals twice.
    statuses = re.findall(r"HTTP/1\.1 (\d+)", answer.decode("latin-1"))
    return " ".join(dict.fromkeys(statuses)) or CLOSED


def get(name, *lines, first=None):
    first = first or b"GET /" + name + b" HTTP/1.1"
    return first + b"\r\n" + HOST + b"".join(lines) + b"\r\n"


def post(name, *lines, body=b""):
    return get(name, *lines, first=b"POST /" + name + b" HTTP/1.1") + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

# name, expected, bytes
CASES = [
    # Lines that are not what they seem
    ("folded", "400", get(b"folded", b"X-A: 1\r\n 2\r\n")),
    ("folded-tab", "400", get(b"folded-tab", b"X-A: 1\r\n\t2\r\n")),
    ("folded-first", "400", b"GET /folded-first HTTP/1.1\r\n X: y\r\n" + HOST + b"\r\n"),
    ("folded-length", "400", post(b"folded-length", b"Content-Length:\r\n 3\r\n", body=b"abc")),
    ("folded-coding", "400", post(b"folded-coding", b"X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", body=b"0\r\n\r\n")),
    ("line-feeds", "400", b"GET /line-feeds HTTP/1.1\nHost: x\nConnection: close\n\n"),
    ("line-feed", "400", get(b"line-feed", b"X-A: 1\nX-B: 2\r\n")),
    ("line-feed-end", "400", b"GET /line-feed-end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\n"),
    ("carriage-return", "400", get(b"carriage-return", b"X-A: 1\rX-B: 2\r\n")),
    ("nul-value", "400", get(b"nul-value", b"X-A: 3\0004\r\n")),
    ("nul-name", "400", get(b"nul-name", b"X-\0A: 3\r\n")),
    ("nul-target", "400", get(b"", first=b"GET /nul-target\0x HTTP/1.1")),
    ("nul-method", "400", get(b"", first=b"G\0ET /nul-method HTTP/1.1")),
    ("control", "400", get(b"control", b"X-A: 3\0014\r\n")),
    ("no-colon", "400", get(b"no-colon", b"nonsense\r\n")),
    ("no-name", "400", get(b"no-name", b": x\r\n")),
    ("brackets", "400", get(b"brackets", b"X(A): x\r\n")),
    ("blank-in-name", "400", get(b"blank-in-name", b"X A: x\r\n")),
    # First lines
    ("no-version", "400", b"GET /no-version\r\n\r\n"),
    ("version-9", "505", get(b"", first=b"GET /version-9 HTTP/9.9")),
    ("behind-version", "400", get(b"", first=b"GET /behind-version HTTP/1.1 x")),
    ("blank-in-target", "400", get(b"", first=b"GET /blank-in-target x HTTP/1.1")),
    ("two-blanks", "400", get(b"", first=b"GET  /two-blanks HTTP/1.1")),
    ("tls-to-plain", CLOSED, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ("http2", "505", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    # Whose is it?
    ("no-host", "400", b"GET /no-host HTTP/1.1\r\nConnection: close\r\n\r\n"),
    ("two-hosts", "400", get(b"two-hosts", b"Host: y\r\n")),
    # Lengths
    ("length-and-chunked", "400", post(b"length-and-chunked", b"Content-Length: 5\r\n" + CHUNKED, body=b"0\r\n\r\n")),
    ("chunked-and-length", "400", post(b"chunked-and-length", CHUNKED + b"Content-Length: 5\r\n", body=b"0\r\n\r\n")),
    ("smuggled", "400", post(b"smuggler", CHUNKED + b"Content-Length: %d\r\n" % (5 + len(NEXT)), body=b"0\r\n\r\n" + NEXT)),
    ("blank-before-colon", "400", post(b"blank-before-colon", b"Content-Length : %d\r\n" % len(NEXT), body=NEXT)),
    ("coding-blank", "400", post(b"coding-blank", b"Transfer-Encoding : chunked\r\n", body=b"0\r\n\r\n")),
    ("two-lengths", "400", post(b"two-lengths", b"Content-Length: 3\r\nContent-Length: 3\r\n", body=b"abc")),
    ("other-lengths", "400", post(b"other-lengths", b"Content-Length: 3\r\nContent-Length: 4\r\n", body=b"abc")),
    ("length-list", "400", post(b"length-list", b"Content-Length: 3, 3\r\n", body=b"abc")),
    ("length-plus", "400", post(b"length-plus", b"Content-Length: +3\r\n", body=b"abc")),
    ("length-negative", "400", post(b"length-negative", b"Content-Length: -3\r\n", body=b"abc")),
    ("length-hex", "400", post(b"length-hex", b"Content-Length: 0x3\r\n", body=b"abc")),
    ("length-empty", "400", post(b"length-empty", b"Content-Length: \r\n", body=b"abc")),
    ("length-huge", "413", post(b"length-huge", b"Content-Length: 99999999999999999999999\r\n", body=b"abc")),
    ("coding-unknown", "501", post(b"coding-unknown", b"Transfer-Encoding: xchunked\r\n", body=b"0\r\n\r\n")),
    ("coding-list", "501", post(b"coding-list", b"Transfer-Encoding: gzip, chunked\r\n", body=b"0\r\n\r\n")),
    ("coding-twice", "400", post(b"coding-twice", CHUNKED + CHUNKED, body=b"0\r\n\r\n")),
    ("coding-1.0", "400", b"POST /coding-1.0 HTTP/1.0\r\nHost: x\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    # Chunks
    ("chunk-no-number", "400", post(b"chunk-no-number", CHUNKED, body=b"xyz\r\nabc\r\n0\r\n\r\n")),
    ("chunk-0x", "400", post(b"chunk-0x", CHUNKED, body=b"0x3\r\nabc\r\n0\r\n\r\n")),
    ("chunk-negative", "400", post(b"chunk-negative", CHUNKED, body=b"-3\r\nabc\r\n0\r\n\r\n")),
    ("chunk-huge", "413", post(b"chunk-huge", CHUNKED, body=b"f" * 20 + b"\r\nabc\r\n0\r\n\r\n")),
    ("chunk-no-end", "400", post(b"chunk-no-end", CHUNKED, body=b"3\r\nabcX0\r\n\r\n")),
    # Too much
    ("100k-fields", "431", get(b"100k-fields", b"".join(b"X-%d: y\r\n" % i for i in range(100000)))),
    ("long-field", "431", get(b"long-field", b"X-A: " + b"a" * 1000000 + b"\r\n")),
    ("long-target", "414", get(b"a" * 1000000)),
    # Slow (the server runs with --client-timeout=1s)
    ("stalled-head", CLOSED, b"GET /stalled-head HTTP/1.1\r\nHo"),
    ("stalled-body", CLOSED, post(b"stalled-body", b"Content-Length: 10\r\n", body=b"abc")),
    # Odd, but right; or put right on the way
    ("passes-empty-lines", "200", b"\r\n\r\n" + get(b"passes-empty-lines")),
    ("passes-2000-fields", "200", get(b"passes-2000-fields", b"".join(b"X-%d: y\r\n" % i for i in range(2000)))),
    ("passes-absolute", "200", get(b"", first=b"GET http://x/passes-absolute HTTP/1.1")),
    ("passes-tabs", "200", get(b"passes-tabs", b"X-A:\t a\tb \t\r\n")),
    ("passes-1.0", "200", b"GET /passes-1.0 HTTP/1.0\r\n\r\n"),
    ("passes-get-body", "200", get(b"passes-get-body", b"Content-Length: 3\r\n") + b"abc"),
    ("passes-extension", "200", post(b"passes-extension", CHUNKED, body=b"3;a=b\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n")),
    ("passes-chunk-feeds", "200", post(b"passes-chunk-feeds", CHUNKED, body=b"3\nabc\n0\n\n")),
    # Two at once: the second is not believed
    ("passes-then-folded", "200 400", b"GET /passes-then-folded HTTP/1.1\r\nHost: x\r\n\r\n" + get(b"second", b"X-A: 1\r\n 2\r\n")),
    ("passes-then-nothing", "200 400",
     b"POST /passes-then-nothing HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"\r\n3\nabc\n0\n\n" + get(b"second")),
    ("passes-then-passes", "200", b"POST /passes-then-passes HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n" + get(b"passes-second")),
]


def main():
    for name, expected, data in CASES:
        if WITH_TLS and name == "tls-to-plain":
            continue
        got = ask(data)
        after = ask(get(b"after"))
        print("%s %s: %s, then %s" % ("ok" if got == expected and after == "200" else "wrong", name, got, after), flush=True)
    got = ask(get(b"dribbled-head", b"X-A: " + b"a" * 20 + b"\r\n"), 0.05)
    after = ask(get(b"after"))
    print("%s dribbled-head: %s, then %s" % ("ok" if (got, after) == (CLOSED, "200") else "wrong", got, after))


main()
