"""The radio of one reader over a whole scene: what `RadioModel` does dwell by dwell, computed in one go.

Waves, levels, chance of an answer, shadows and slotted rounds are those of `firmware_sim.radio`, with its fitted
figures; tests/unit/test_sim_doorscene.py holds the two against each other.
"""

import math
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_sim.doorscene.waves import F32, HOP_HZ, Clutter, Numbers, Placed, Singles, Sticker, Waves
from firmware_sim.doorscene.way import Floats, Way
from firmware_sim.radio import COLLISION_US, EMPTY_US, ROUND_US, SINGLE_US, RadioRules, TagRead
from firmware_sim.room import CHANNELS, LIGHT_M_PER_S, Antenna, RoomRules, Walls

_CLUTTER = Clutter()
_FAR_M = 9.0
"""Nobody farther from all antennas than this is heard."""


class Track(NamedTuple):
    """Tags that go one way together."""

    way: Way
    stickers: tuple[Sticker, ...]


class _Heard(NamedTuple):
    """Answers, in columns."""

    key: Numbers
    """Antenna's place x slots + slot."""
    tag: Numbers
    level_dbm: Singles
    phase: Singles
    closing_m_per_s: Singles

    def those(self, chosen: Numbers) -> "_Heard":
        return _Heard(
            self.key[chosen],
            self.tag[chosen],
            self.level_dbm[chosen],
            self.phase[chosen],
            self.closing_m_per_s[chosen],
        )


class Air:
    """One reader's antennas in one place. Without `walls` they stand where the seed says, and hide nothing."""

    def __init__(
        self,
        antennas: Sequence[Antenna],
        walls: Walls | None,
        room: RoomRules,
        rules: RadioRules,
        seed: int,
        clutter: Clutter = _CLUTTER,
    ) -> None:
        self._antennas = sorted(antennas)
        self._rules = rules
        self._seed = seed
        self._waves = Waves(self._antennas, walls, room, clutter, seed)

    def listen(self, tracks: Sequence[Track], begin_us: int, lasts_s: float) -> list[TagRead]:
        """The reads of all tags, by time, from second 0 of the tracks, which is `begin_us`."""
        numbers, random = np.random.default_rng(self._seed), Random(f"air {self._seed}")
        slots = _Slots(self._rules, lasts_s, random)
        epcs: list[str] = []
        answers: list[_Heard] = []
        for track in tracks:
            if (found := self._hear(track, len(epcs), slots, numbers)) is not None:
                answers.append(found)
            epcs += [sticker.epc for sticker in track.stickers]
        if not answers:
            return []
        heard = _joined(answers)
        chosen, at_us = self._dwells(heard.key, slots, random)
        return self._reads(heard.those(chosen), [begin_us + us for us in at_us], epcs, slots, numbers)

    def _hear(self, track: Track, first: int, slots: "_Slots", numbers: np.random.Generator) -> _Heard | None:
        """The answers of one body's tags to each antenna in each slot, whether or not the antenna is on air then."""
        rules = self._rules
        x_m, y_m, heading = track.way.where(slots.at_s)
        near = self._near(x_m, y_m)
        if not len(near):
            return None
        x_m, y_m, heading, channel = x_m[near], y_m[near], heading[near], slots.channel[near]
        # One row for each slot in which it moves, and one for each channel while it stands.
        stands = np.cumsum(np.diff(x_m + math.pi * y_m + math.e * heading, prepend=np.nan) != 0)
        _, rows, row_of = np.unique(stands * CHANNELS + channel, return_index=True, return_inverse=True)
        tags = Placed(track.stickers, x_m[rows], y_m[rows], heading[rows])
        levels, phases = self._waves.echo(tags, channel[rows])
        levels = (levels + self._gains_db(track.stickers))[:, row_of]
        moved_m = np.hypot(np.diff(x_m, prepend=x_m[0]), np.diff(y_m, prepend=y_m[0]))
        levels -= F32(rules.shadow_db) * self._hidden(moved_m, levels.shape, numbers)
        chance = F32(rules.answer) / (1 + np.exp((F32(rules.half_dbm) - levels) / F32(rules.slope_db)))
        port, slot, tag = np.nonzero(numbers.random(levels.shape, dtype=np.float32) < chance)
        level = levels[port, slot, tag] + numbers.normal(0, rules.noise_db, len(port)).astype(F32)
        loud = level >= rules.floor_dbm
        port, slot, tag, level = port[loud], slot[loud], tag[loud], level[loud]
        row = row_of[slot]
        closing = self._closing(tags, port, row, tag, (np.gradient(x_m)[slot], np.gradient(y_m)[slot]))
        return _Heard(port * slots.count + near[slot], first + tag, level, phases[port, row, tag], closing)

    def _near(self, x_m: Floats, y_m: Floats) -> Numbers:
        nearest_m = np.min([np.hypot(x_m - one.x_m, y_m - one.y_m) for one in self._antennas], axis=0)
        return np.nonzero(nearest_m < _FAR_M)[0]

    def _gains_db(self, stickers: Sequence[Sticker]) -> Singles:
        """By tag; a tag keeps its own for ever."""
        own = [Random(f"tag {sticker.epc}").gauss(0, self._rules.tag_sigma_db) for sticker in stickers]
        lost = [self._rules.detuned_db if sticker.detuned else 0.0 for sticker in stickers]
        return np.array(own, F32) - np.array(lost, F32)

    def _hidden(self, moved_m: Floats, shape: tuple[int, ...], numbers: np.random.Generator) -> NDArray[np.bool_]:
        """By antenna, slot and tag: decided anew as the tag is carried on (see `RadioModel`)."""
        rules = self._rules
        keep = np.exp(-moved_m / rules.shadow_m).astype(F32)[None, :, None]
        anew = numbers.random(shape, dtype=np.float32) >= keep
        anew[:, 0] = True
        since = np.maximum.accumulate(np.where(anew, np.arange(shape[1])[None, :, None], 0), axis=1)
        drawn = numbers.random(shape, dtype=np.float32) < rules.shadow
        return np.take_along_axis(drawn, since, axis=1)

    def _closing(
        self, tags: Placed, port: Numbers, row: Numbers, tag: Numbers, step_m: tuple[Floats, Floats]
    ) -> Singles:
        """How fast each answering tag comes nearer to its antenna, in m/s."""
        away_x = tags.x_m[row, tag] - np.array([one.x_m for one in self._antennas])[port]
        away_y = tags.y_m[row, tag] - np.array([one.y_m for one in self._antennas])[port]
        nearer_m = -(step_m[0] * away_x + step_m[1] * away_y) / np.maximum(0.1, np.hypot(away_x, away_y))
        closing: Singles = (nearer_m / (self._rules.dwell_us / 1e6)).astype(F32)
        return closing

    def _dwells(self, keys: Numbers, slots: "_Slots", random: Random) -> tuple[Numbers, list[int]]:
        """The antennas in turn, one inventory round a dwell, a pause after each hop: which answers are read, and when.

        `keys` are in order; the times are microseconds of the scene.
        """
        rules, ports = self._rules, len(self._antennas)
        starts = np.searchsorted(keys, np.arange(ports * slots.count + 1)).tolist()
        chosen, at_us = list[int](), list[int]()
        turn, now_us, end_us, hop_at_us = 0, 0, slots.count * rules.dwell_us, rules.hop_us
        while now_us < end_us:
            key = turn % ports * slots.count + now_us // rules.dwell_us
            first, used_us = starts[key], 0
            for number, used_us in inventory(starts[key + 1] - first, rules, random):
                if number is not None:
                    chosen.append(first + number)
                    at_us.append(now_us + used_us)
            turn += 1
            now_us += max(rules.dwell_us, used_us)
            if now_us >= hop_at_us:
                now_us += rules.hop_pause_us
                hop_at_us = now_us + round(rules.hop_us * random.uniform(0.9, 1.1))
        return np.array(chosen, np.int64), at_us

    def _reads(
        self, heard: _Heard, at_us: Sequence[int], epcs: Sequence[str], slots: "_Slots", numbers: np.random.Generator
    ) -> list[TagRead]:
        """As the reader reports them (see `RadioModel`)."""
        place, slot = np.divmod(heard.key, slots.count)
        channel, count = slots.channel[slot], len(heard.key)
        turn = heard.phase / (2 * math.pi) + numbers.integers(0, 2, count) / 2 + numbers.normal(0, 0.01, count)
        doppler = 32 * heard.closing_m_per_s * HOP_HZ[channel] / LIGHT_M_PER_S
        doppler += numbers.normal(0, self._rules.doppler_noise, count)
        columns = (
            np.array([antenna.port for antenna in self._antennas])[place],
            np.rint(heard.level_dbm).astype(int),
            (turn % 1.0 * 4096).astype(int) % 4096,
            channel + 1,
            np.clip(np.rint(doppler), -32768, 32767).astype(int),
        )
        names = [epcs[tag] for tag in heard.tag.tolist()]
        return [*map(TagRead, at_us, names, *(column.tolist() for column in columns))]


def _joined(answers: Sequence[_Heard]) -> _Heard:
    """All of them, by antenna and slot."""
    joined = _Heard(
        np.concatenate([one.key for one in answers]),
        np.concatenate([one.tag for one in answers]),
        np.concatenate([one.level_dbm for one in answers]),
        np.concatenate([one.phase for one in answers]),
        np.concatenate([one.closing_m_per_s for one in answers]),
    )
    return joined.those(np.argsort(joined.key, kind="stable"))


def inventory(answering: int, rules: RadioRules, random: Random) -> Iterator[tuple[int | None, int]]:
    """One round of slots (Gen2 section 6.3.2.10) until nobody answers or the dwell is over.

    Gives who is read (0 to `answering` - 1) and the microseconds spent by then; at last None, and all that were spent.
    """
    if not answering:
        return
    draw = random.random
    spent_us = ROUND_US + int(draw() * max(1, rules.dwell_us - 7_000)) // (1 + answering)
    waiting = list(range(answering))
    while waiting and spent_us < rules.max_dwell_us:
        slots = 1 << (len(waiting) - 1).bit_length()
        chosen: list[list[int]] = [[] for _ in range(slots)]
        for one in waiting:
            chosen[int(draw() * slots)].append(one)
        waiting = []
        for answers in chosen:
            if not answers:
                spent_us += EMPTY_US
                continue
            spent_us += SINGLE_US if len(answers) == 1 else COLLISION_US
            if len(answers) > 1 or spent_us > rules.max_dwell_us:
                waiting += answers
            else:
                yield answers[0], spent_us
    yield None, spent_us


class _Slots:
    """The scene cut into slots of one dwell each: when they begin, and on which channel.

    A dwell of many tags is longer than a slot, and the reader pauses when it hops in earnest: it is a slot's channel
    that is taken for what is heard in it.
    """

    def __init__(self, rules: RadioRules, lasts_s: float, random: Random) -> None:
        self.count = math.ceil(lasts_s * 1e6 / rules.dwell_us)
        self.at_s: Floats = np.arange(self.count, dtype=np.float64) * (rules.dwell_us / 1e6)
        hop_s = (rules.hop_us + rules.dwell_us / 2 + rules.hop_pause_us) / 1e6
        self.channel: Numbers = (random.randrange(CHANNELS) + (self.at_s // hop_s).astype(np.int64)) % CHANNELS
