"""litellm.acompletion with a semaphore."""

import asyncio

from driver import flags, load, save  # sets the environment that litellm reads when it is imported

import litellm  # isort: skip


async def one(free, row):
    async with free:
        try:
            said = await litellm.acompletion(
                model="openai/mock",
                api_base=flags.url,
                api_key="none",
                timeout=flags.timeout,
                messages=[{"role": "user", "content": row["question"]}],
                temperature=0.7,
                max_tokens=flags.max_tokens,
            )
            return {"id": row["id"], "text": said.choices[0].message.content, "usage": said.usage.model_dump()}
        except Exception as error:
            return {"id": row["id"], "error": repr(error)}


async def main():
    free = asyncio.Semaphore(flags.width)
    save(await asyncio.gather(*[one(free, row) for row in load()]))


asyncio.run(main())
