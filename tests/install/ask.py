"""ask.py SOCKET ROW - asks a service that may just be starting, and wants one row from version 1."""
import json
import socket
import sys
import time

client = socket.socket(socket.AF_UNIX)
client.settimeout(60)
for _ in range(400):
    try:
        client.connect(sys.argv[1])
        break
    except OSError:
        time.sleep(0.05)
client.sendall(sys.argv[2].encode() + b"\n")
answer = json.loads(client.makefile().readline())
assert answer["version"] == "1" and len(answer["rows"]) == 1, answer
