"""Moto's SQS server, with signatures and rights enforced, and beside it a port for the tests: they look into the queues
there without asking for anything that a worker is asked for, and see who waits.

usage: moto_server.py PORT OBSERVER_PORT

Prints one line of JSON when it is ready: the keys of the user whom workers are.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.iam.models import iam_backends  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402
from moto.sqs.exceptions import QueueDoesNotExist  # noqa: E402
from moto.sqs.models import Message, SQSBackend, sqs_backends  # noqa: E402

ACCOUNT = "123456789012"
REGION = "eu-central-1"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
receive_at_once = SQSBackend.receive_message
taking = threading.Lock()
waiting = {}


def receive_message(self, queue_name, count, wait_seconds_timeout, visibility_timeout, message_attribute_names=None):
    """As moto's own, but two that ask at the same time do not get the same message, and an end of a message's
    visibility timeout is seen within a tenth of a second."""
    end = time.time() + (wait_seconds_timeout or 0)
    waiting[queue_name] = waiting.get(queue_name, 0) + 1
    try:
        while True:
            with taking:
                found = receive_at_once(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
            if found or time.time() >= end:
                return found
            time.sleep(0.02)
    finally:
        waiting[queue_name] -= 1


def one_at_a_time(change):
    """Moto replaces the list of messages by one that it has made from it: two changes at once lose one of them."""

    def changing(*arguments, **options):
        with taking:
            return change(*arguments, **options)

    return changing


def mark_received(self, visibility_timeout=None):
    self.lease = visibility_timeout
    mark_received_by_moto(self, visibility_timeout)


def change_visibility(self, visibility_timeout):
    self.hidden_for = visibility_timeout
    change_visibility_by_moto(self, visibility_timeout)


SQSBackend.receive_message = receive_message
SQSBackend.delete_message = one_at_a_time(SQSBackend.delete_message)
SQSBackend.send_message = one_at_a_time(SQSBackend.send_message)
mark_received_by_moto, Message.mark_received = Message.mark_received, mark_received
change_visibility_by_moto, Message.change_visibility = Message.change_visibility, change_visibility


def backend():
    return sqs_backends[ACCOUNT][REGION]


def users():
    return iam_backends[ACCOUNT]["aws"]


def make_user(name, policy):
    users().create_user(REGION, name)
    users().put_user_policy(name, "policy", json.dumps(policy))
    key = users().create_access_key(name)
    return {"id": key.access_key_id, "secret": key.secret_access_key}


def attributes(message):
    return {name: value.get("StringValue") for name, value in message.message_attributes.items()}


def seen(message):
    return {
        "body": message.body,
        "attributes": attributes(message),
        "group": message.group_id,
        "receives": message.approximate_receive_count,
    }


class Observer(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            answer = getattr(self, self.path[1:])(**request)
        except QueueDoesNotExist:
            answer = None
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def create(self, queue, attributes=None):
        return backend().create_queue(queue, **(attributes or {})).name

    def delete(self, queue):
        backend().delete_queue(queue)

    def put(self, queue, messages):
        for message in messages:
            backend().send_message(
                queue,
                message["body"],
                message_attributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in message.get("attributes", {}).items()
                },
                group_id=message.get("group"),
                deduplication_id=message.get("deduplication"),
            )

    def messages(self, queue):
        return [seen(message) for message in list(backend().get_queue(queue)._messages)]

    def ready(self, queue):
        return [seen(message) for message in backend().get_queue(queue).messages]

    def left(self, queue):
        now = time.time() * 1000
        ready = claimed = delayed = 0
        for message in list(backend().get_queue(queue)._messages):
            rest = message.visible_at - now
            if rest < 0:
                ready += 1
            elif message.hidden_for == message.lease:
                claimed += 1
            else:
                # SQS does not tell a retry that rests from a claim; only a claim is extended by its own lease.
                delayed += 1
        return [ready, claimed, delayed]

    def waiting(self, queue):
        return waiting.get(queue, 0)

    def user(self, name, actions, effect="Allow"):
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        return make_user(name, {"Version": "2012-10-17", "Statement": [statement]})

    def forbid(self, name, actions):
        denied = {"Effect": "Deny", "Action": actions, "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": EVERYTHING["Statement"] + ([denied] if actions else [])}
        users().put_user_policy(name, "policy", json.dumps(policy))

    def revoke(self, name):
        for key in list(users().get_user(name).access_keys):
            users().delete_access_key(key.access_key_id, name)


def main():
    server = ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False)
    observer = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Observer)
    observer.daemon_threads = True
    keys = make_user("worker", EVERYTHING)
    server.start()
    print(json.dumps(keys), flush=True)
    observer.serve_forever()


if __name__ == "__main__":
    main()
