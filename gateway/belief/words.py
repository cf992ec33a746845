"""A belief in a sentence, English and Chinese, for the page and for answers to "why?"."""

from typing import Final

from gateway.belief.bernoulli import Belief, State, Word

HOUR_S: Final = 3600.0
WORDS: Final[dict[Word, tuple[str, str]]] = {
    "certain": ("certain", "确定"),
    "likely": ("likely", "很可能在"),
    "doubtful": ("doubtful", "存疑"),
    "probably_gone": ("probably gone", "很可能已不在"),
}
_STATES: Final[dict[State, tuple[str, str]]] = {
    "seen": ("the zone's reader sees it", "区域读写器仍读到它"),
    "silent": ("the zone's reader has stopped seeing it", "区域读写器已读不到它"),
    "unseen": ("no reader of the zone has seen it since it came", "到货后区域读写器从未读到它"),
    "deaf": (
        "it was found there, though the zone's reader does not hear it",
        "有人在那里找到过它，但区域读写器读不到它",
    ),
}
_LOOKED: Final = (
    "looked for {looked:.1f} h in vain, in which it should have been seen {missed:.1f} times",
    "已白找 {looked:.1f} 小时，若在应被读到 {missed:.1f} 次",
)
_DARK: Final = ("nobody looked for {dark:.1f} h", "{dark:.1f} 小时无人查看")


def sentences(belief: Belief) -> tuple[str, str]:
    """For example: "probably gone (4 %): the zone's reader has stopped seeing it; looked for 6.0 h in vain, ..."."""
    english, chinese = (_parts(belief, language) for language in (0, 1))
    return "; ".join(english), "；".join(chinese)


def _parts(belief: Belief, language: int) -> list[str]:
    colon = ": " if language == 0 else "："
    parts = [f"{WORDS[belief.word][language]} ({belief.r:.0%}){colon}{_STATES[belief.state][language]}"]
    if belief.looked_s > 0 and belief.state != "deaf":
        parts.append(_LOOKED[language].format(looked=belief.looked_s / HOUR_S, missed=belief.missed))
    if belief.dark_s >= HOUR_S / 10:
        parts.append(_DARK[language].format(dark=belief.dark_s / HOUR_S))
    return parts
