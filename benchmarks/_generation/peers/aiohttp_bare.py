"""What a user writes first with aiohttp: a semaphore and gather; no retries, no store, the rows written at the end."""

import asyncio

import aiohttp
from driver import flags, load, save


async def one(session, free, row):
    body = {
        "model": "mock",
        "messages": [{"role": "user", "content": row["question"]}],
        "temperature": 0.7,
        "max_tokens": flags.max_tokens,
    }
    async with free:
        try:
            async with session.post(f"{flags.url}/chat/completions", json=body) as reply:
                reply.raise_for_status()
                said = await reply.json()
            return {"id": row["id"], "text": said["choices"][0]["message"]["content"], "usage": said["usage"]}
        except Exception as error:
            return {"id": row["id"], "error": repr(error)}


async def main():
    free = asyncio.Semaphore(flags.width)
    timeout = aiohttp.ClientTimeout(total=flags.timeout)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        save(await asyncio.gather(*[one(session, free, row) for row in load()]))


asyncio.run(main())
