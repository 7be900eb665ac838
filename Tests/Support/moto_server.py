"""Moto's SQS server, with signatures and rights enforced, and beside it a port for the tests: they look into the queues
there without asking for anything that a worker is asked for, see who waits, and order what SQS does and moto does not:
see `Trouble`, `fence` and `ceiling`.

usage: moto_server.py PORT OBSERVER_PORT

Prints one line of JSON when it is ready: the keys of the user whom workers are.
"""

import io
import json
import os
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto import backends  # noqa: E402
from moto.iam.models import iam_backends  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from moto.sqs import models  # noqa: E402
from moto.sqs.exceptions import InvalidParameterValue, QueueDoesNotExist, SQSException  # noqa: E402
from moto.sqs.models import Message, SQSBackend, sqs_backends  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

ACCOUNT = "123456789012"
REGION = "eu-central-1"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
receive_at_once = SQSBackend.receive_message
taking = threading.Lock()
waiting = {}
# Queues where a receipt handle is good for as long as it is the last one; see `fenced`.
fences = set()
# For how many seconds in all a claim on a queue's messages may last, where that is less than SQS' 12 hours.
ceilings = {}


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


def handed_out(queue, handle):
    """The message that was handed out with this receipt handle, if it is still there."""
    return next((message for message in queue._messages if message.had_receipt_handle(handle)), None)


def delete_message(self, queue_name, receipt_handle):
    """Moto deletes with any handle that a message ever had. SQS says of a standard queue that a request with one that is
    not the last succeeds and deletes nothing, and refuses it on a FIFO queue, as it does there after the message's time.
    Source: Amazon SQS API Reference, DeleteMessage."""
    queue = self.get_queue(queue_name)
    message = handed_out(queue, receipt_handle)
    if queue_name in fences and message:
        is_last = message.receipt_handle == receipt_handle
        if queue.fifo_queue and (message.visible or not is_last):
            raise InvalidParameterValue(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
            )
        if not is_last:
            return
    delete_by_moto(self, queue_name, receipt_handle)


def change_message_visibility(self, queue_name, receipt_handle, visibility_timeout):
    """Moto takes any handle that a message ever had, at any time, and counts the 12 hours from when it was sent.
    Source: Amazon SQS API Reference, ChangeMessageVisibility."""
    message = handed_out(self.get_queue(queue_name), receipt_handle)
    if queue_name in fences:
        if message is None or message.receipt_handle != receipt_handle:
            raise InvalidParameterValue(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
                "not available for visibility timeout change."
            )
        if message.visible:
            raise SQSException("MessageNotInflight", "The specified message isn't in flight.")
    if message and queue_name in ceilings:
        if time.time() + int(visibility_timeout) > message.received + ceilings[queue_name]:
            raise InvalidParameterValue(
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout "
                "for the message is beyond the limit [43200 seconds]"
            )
    change_by_moto(self, queue_name, receipt_handle, visibility_timeout)


def mark_received(self, visibility_timeout=None):
    self.lease = visibility_timeout
    self.received = time.time()
    mark_received_by_moto(self, visibility_timeout)


def change_visibility(self, visibility_timeout):
    self.hidden_for = visibility_timeout
    change_visibility_by_moto(self, visibility_timeout)


delete_by_moto, change_by_moto = SQSBackend.delete_message, SQSBackend.change_message_visibility
# For each message in a queue, at every look: moto makes the time out of dates, and all of a queue's attributes out of all
# of its messages, to see whether one is older than four days.
models.unix_time = time.time
models.unix_time_millis = lambda: time.time() * 1000
# For each request: moto looks into its directory for the services that it knows.
services = list(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: services
SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True
SQSBackend.receive_message = receive_message
SQSBackend.delete_message = one_at_a_time(delete_message)
SQSBackend.change_message_visibility = one_at_a_time(change_message_visibility)
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


class Trouble:
    """In front of moto: what AWS says before SQS has looked at a request, and moto never does."""

    # How far apart the clocks of both sides may be. Source: AWS, Signature Version 4.
    most_skew = timedelta(minutes=5)

    def __init__(self, application):
        self.application = application
        # By queue: answers that are given instead of SQS' own.
        self.orders = {}
        self.refused = {}
        # By queue: how many seconds SQS' clock is ahead of this machine's.
        self.clocks = {}
        # Ids of keys that were good for a time which is over.
        self.expired = set()

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        queue, action = self.subject(environ, body)
        now = datetime.now(timezone.utc) + timedelta(seconds=self.clocks.get(queue, 0))
        answer = self.ordered(queue, action) or self.unsigned(environ, now)
        if not answer:
            return self.application(environ, start_response)
        self.refused[queue] = self.refused.get(queue, 0) + 1
        status, code, message = answer
        text = json.dumps({"__type": f"com.amazon.coral.service#{code}", "message": message}).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("Content-Length", str(len(text))),
            ("Date", format_datetime(now, usegmt=True)),
        ]
        start_response(f"{status} -", headers)
        return [text]

    @staticmethod
    def subject(environ, body):
        action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        try:
            fields = json.loads(body)
            return (fields.get("QueueName") or fields.get("QueueUrl", "").rpartition("/")[2], action)
        except (ValueError, AttributeError):
            return "", action

    def ordered(self, queue, action):
        with taking:
            for order in self.orders.get(queue, []):
                if order["action"] not in (None, action) or order["times"] == 0:
                    continue
                if order["times"] is not None:
                    order["times"] -= 1
                return order["status"], order["code"], order["message"]
        return None

    def unsigned(self, environ, now):
        key = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
        if key in self.expired:
            return 403, "ExpiredTokenException", "The security token included in the request is expired"
        written = environ.get("HTTP_X_AMZ_DATE", "")
        if not written:
            return None
        then = datetime.strptime(written, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        theirs = now.strftime("%Y%m%dT%H%M%SZ")
        if then < now - self.most_skew:
            limit = (now - self.most_skew).strftime("%Y%m%dT%H%M%SZ")
            words = f"Signature expired: {written} is now earlier than {limit} ({theirs} - 5 min.)"
        elif then > now + self.most_skew:
            limit = (now + self.most_skew).strftime("%Y%m%dT%H%M%SZ")
            words = f"Signature not yet current: {written} is still later than {limit} ({theirs} + 5 min.)"
        else:
            return None
        return 403, "InvalidSignatureException", words


trouble = Trouble(DomainDispatcherApplication(create_backend_app))


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
                delay_seconds=message.get("delay"),
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

    def fence(self, queue):
        fences.add(queue)

    def ceiling(self, queue, seconds):
        ceilings[queue] = seconds

    def order(self, queue, status, code, message, action=None, times=None):
        """Answers every request about the queue like this, or so many of them, or those with this action."""
        with taking:
            order = {"status": status, "code": code, "message": message, "action": action, "times": times}
            trouble.orders.setdefault(queue, []).append(order)

    def withdraw(self, queue):
        trouble.orders.pop(queue, None)

    def refused(self, queue):
        return trouble.refused.get(queue, 0)

    def clock(self, queue, ahead):
        trouble.clocks[queue] = ahead

    def expire(self, key):
        trouble.expired.add(key)

    def revoke(self, name):
        for key in list(users().get_user(name).access_keys):
            users().delete_access_key(key.access_key_id, name)


def main():
    server = make_server("127.0.0.1", int(sys.argv[1]), trouble, threaded=True)
    observer = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Observer)
    observer.daemon_threads = True
    keys = make_user("worker", EVERYTHING)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(keys), flush=True)
    observer.serve_forever()


if __name__ == "__main__":
    main()
