"""What a user writes first with httpx."""

import asyncio

import httpx
from driver import flags, load, save


async def one(client, free, row):
    body = {
        "model": "mock",
        "messages": [{"role": "user", "content": row["question"]}],
        "temperature": 0.7,
        "max_tokens": flags.max_tokens,
    }
    async with free:
        try:
            reply = await client.post(f"{flags.url}/chat/completions", json=body)
            reply.raise_for_status()
            said = reply.json()
            return {"id": row["id"], "text": said["choices"][0]["message"]["content"], "usage": said["usage"]}
        except Exception as error:
            return {"id": row["id"], "error": repr(error)}


async def main():
    free = asyncio.Semaphore(flags.width)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=flags.timeout) as client:
        save(await asyncio.gather(*[one(client, free, row) for row in load()]))


asyncio.run(main())
