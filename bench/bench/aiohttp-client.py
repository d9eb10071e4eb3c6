# The yardstick of the benchmark in Python: aiohttp on uvloop, every chunk parsed as it comes. URL STREAMS
import asyncio
import json
import sys
import time

import aiohttp
import uvloop

url, streams = sys.argv[1], int(sys.argv[2])
body = {"model": "truth", "stream": True, "messages": [{"role": "user", "content": "case=load"}]}


async def stream(session):
    while True:
        times = []
        rest = b""
        async with session.post(url + "/v1/chat/completions", json=body) as reply:
            async for part in reply.content.iter_any():
                at = time.perf_counter()
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if not line.startswith(b"data: ") or line == b"data: [DONE]":
                        continue
                    choices = json.loads(line[6:])["choices"]
                    if choices and choices[0]["delta"].get("content"):
                        times.append(at)


async def main():
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
        await asyncio.gather(*(stream(session) for _ in range(streams)))


uvloop.install()
asyncio.run(main())
