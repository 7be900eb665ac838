"""The job of `rq worker`, and as a program: rq_jobs.py URL COUNT WORD… queues it so many times."""

import subprocess
import sys

QUEUE = "bench"


def run(command, body):
    return subprocess.run(command, input=body, check=True).returncode


if __name__ == "__main__":
    import redis
    import rq

    import rq_jobs

    url, count, *words = sys.argv[1:]
    queue = rq.Queue(QUEUE, connection=redis.Redis.from_url(url))
    for _ in range(int(count)):
        queue.enqueue(rq_jobs.run, words, b"x" * 100)
