"""A teacher behind OpenAI-compatible servers: aiohttp in a thread of its own, plain iteration outside.

`engine` is what others see; `client` asks, in its thread; `work` is what is to be asked, `servers` who is asked next,
`asking` what a request says, `replies` what an answer says, `fates` what becomes of a try that brought none, `ends` why
a run stops.
"""

from understudy.engines.http.engine import Http
from understudy.engines.http.tally import Tally

__all__ = ["Http", "Tally"]
