"""MQTT topics: `tc/v1/{site}/{agent}/{channel}`."""

import re
from typing import Literal, NamedTuple, get_args

from contract.errors import BadTopic

Channel = Literal["events", "status", "ack", "command", "evidence"]

NAME_PATTERN = r"[a-z0-9-]{1,40}"
_TOPIC = re.compile(rf"tc/v1/({NAME_PATTERN})/({NAME_PATTERN})/({'|'.join(get_args(Channel))})")


class Topic(NamedTuple):
    """One topic, taken apart."""

    site: str
    agent: str
    channel: Channel

    def __str__(self) -> str:
        return f"tc/v1/{self.site}/{self.agent}/{self.channel}"


def of_every_agent(site: str, channel: Channel) -> str:
    """The subscription filter for one channel of every agent of a site."""
    return f"tc/v1/{site}/+/{channel}"


def parse(topic: str) -> Topic:
    """Take a topic apart; raises `BadTopic`."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise BadTopic(f"{topic[:200]!r} is not tc/v1/SITE/AGENT/CHANNEL")
    site, agent, channel = match.groups()
    return Topic(site, agent, channel)  # type: ignore[arg-type]  # the pattern admits only the channels
