"""AsyncOpenAI with a semaphore; it retries twice by itself."""

import asyncio

import openai
from driver import flags, load, save


async def one(client, free, row):
    async with free:
        try:
            said = await client.chat.completions.create(
                model="mock",
                messages=[{"role": "user", "content": row["question"]}],
                temperature=0.7,
                max_tokens=flags.max_tokens,
            )
            return {"id": row["id"], "text": said.choices[0].message.content, "usage": said.usage.model_dump()}
        except Exception as error:
            return {"id": row["id"], "error": repr(error)}


async def main():
    client = openai.AsyncOpenAI(base_url=flags.url, api_key="none", timeout=flags.timeout)
    free = asyncio.Semaphore(flags.width)
    save(await asyncio.gather(*[one(client, free, row) for row in load()]))


asyncio.run(main())
