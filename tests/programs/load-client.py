#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""load-client.py PORT N PATH FILE: N clients at once, each on one connection, get PATH and post to it in turns until FILE exists. Prints
"REQUESTS FAILED", and why the first ones failed: any answer that is not 200 and "ok", any connection that breaks."""
import http.client
import os
import sys
import threading

port, n_clients, path, stop_file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
lock = threading.Lock()
n_requests = 0
failures = []


def ask(connection, number):
    if number % 4:
        connection.request("GET", path)
    else:
        connection.request("POST", path, body=b"x" * 20000)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or body != b"ok\n":
        raise ValueError("%d %r" % (answer.status, body[:200]))


def client():
    global n_requests
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    number = 0
    while not os.path.exists(stop_file):
        number += 1
        error = None
        try:
            ask(connection, number)
        except (OSError, ValueError, http.client.HTTPException) as e:
            error = "request %d of a connection: %r" % (number, e)
            connection.close()
        with lock:
            n_requests += 1
            if error:
                failures.append(error)


threads = [threading.Thread(target=client) for _ in range(n_clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(n_requests, len(failures))
print("\n".join(failures[:5]))
