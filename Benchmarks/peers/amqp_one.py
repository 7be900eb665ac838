"""What a careful beginner writes with pika: one message, one command, an acknowledgement, the end."""

import subprocess
import sys

import pika

url, queue, *command = sys.argv[1:]
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.basic_qos(prefetch_count=1)
for method, _, body in channel.consume(queue):
    status = subprocess.run(command, input=body).returncode
    if status == 0:
        channel.basic_ack(method.delivery_tag)
    else:
        channel.basic_nack(method.delivery_tag)
    break
channel.cancel()
connection.close()
sys.exit(status)
