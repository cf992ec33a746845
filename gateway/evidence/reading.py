"""What came by the topic `evidence`: pictures to keep, pictures to show, and what is refused. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from contract import topics, wire
from contract.errors import BadMessage, BadTopic
from contract.wire import Evidence
from gateway.connection import same_agent
from gateway.errors import BadPicture
from gateway.evidence import jpeg

_ID = re.compile(rb'"id"\s*:\s*"(%s)"' % wire.PICTURE_ID.encode())


class Refused(NamedTuple):
    """A message that is not kept."""

    topic: str
    data: bytes
    agent: str | None
    """None for a stranger."""
    picture: str | None
    """Its picture's id, if so much could be found: its agent need not send it again."""
    reason: str


class Read(NamedTuple):
    """What a few messages hold."""

    fruit: list[Evidence]
    belts: list[Evidence]
    refused: list[Refused]


def read(messages: Iterable[tuple[str, bytes]], lines_of: Mapping[str, frozenset[str]]) -> Read:
    """Sort messages (topic, payload); `lines_of` names the lines of every agent of the site."""
    found = Read([], [], [])
    for topic, data in messages:
        try:
            agent = _agent(topic, lines_of)
        except (BadMessage, BadTopic) as error:
            found.refused.append(Refused(topic[:200], data, None, None, str(error)))
            continue
        try:
            one = wire.decode_evidence(data)
            same_agent(topics.parse(topic), one.agent)
        except BadMessage as error:
            found.refused.append(Refused(topic, data, agent, _id_in(data), str(error)))
            continue
        try:
            _check(one, lines_of[agent])
        except (BadMessage, BadPicture) as error:
            found.refused.append(Refused(topic, data, agent, one.id, str(error)))
            continue
        (found.belts if one.kind == "belt" else found.fruit).append(one)
    return found


def _id_in(data: bytes) -> str | None:
    """The picture's id of a message that cannot be read as a whole. In base64, as in an id, there are no quotes."""
    match = _ID.search(data)
    return None if match is None else match[1].decode()


def _agent(topic: str, lines_of: Mapping[str, frozenset[str]]) -> str:
    agent = topics.parse(topic).agent
    if agent not in lines_of:
        raise BadMessage(f"agent {agent!r} is not in the site file")
    return agent


def _check(one: Evidence, lines: frozenset[str]) -> None:
    if one.line not in lines:
        raise BadMessage(f"line {one.line[:100]!r} is not a line of agent {one.agent!r}")
    jpeg.check(one.picture)
