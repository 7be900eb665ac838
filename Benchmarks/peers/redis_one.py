"""What a careful beginner writes with redis-py: one message, kept in a second list until its command has succeeded."""

import subprocess
import sys

import redis

url, queue, *command = sys.argv[1:]
client = redis.Redis.from_url(url)
body = client.blmove(queue, queue + ":processing", timeout=0)
status = subprocess.run(command, input=body).returncode
if status == 0:
    client.lrem(queue + ":processing", 1, body)
sys.exit(status)
