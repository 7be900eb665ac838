"""Takes TLS off: whoever connects to PORT speaks with the server at TARGET_PORT in plain.

usage: tls_terminator.py PORT TARGET_PORT CHAIN KEY

Prints `ready` when it listens.
"""

import asyncio
import ssl
import sys


async def copy(source, target):
    try:
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
    except OSError:
        pass
    target.close()


async def main():
    port, target_port, chain, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    async def serve(reader, writer):
        try:
            answers, questions = await asyncio.open_connection("127.0.0.1", int(target_port))
        except OSError:
            return writer.close()
        await asyncio.gather(copy(reader, questions), copy(answers, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", int(port), ssl=context, backlog=64) as server:
        print("ready", flush=True)
        await server.serve_forever()


asyncio.run(main())
