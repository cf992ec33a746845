"""The site file tells all its mistakes at once, each where it stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import site
from contract.errors import BadSiteFile

CONFIGS = Path(__file__).parents[2] / "configs"
EXAMPLE = (CONFIGS / "site.yaml").read_text()


def mistakes(text: str) -> list[str]:
    with pytest.raises(BadSiteFile) as caught:
        site.parse(text.encode(), "site.yaml")
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_example_files_are_right(path):
    assert site.load(path).doors


def test_every_mistake_is_told_at_once_with_line_column_and_the_nearest_known_key():
    text = (
        "site: north\n"
        "title: {en: Site North, zh: 北区}\n"
        "gateway: {prot: 8080}\n"
        "agents: [{name: dock-edge}]\n"
        "zones: [{name: Cold Room, title: {en: Cold room}}]\n"
        "cloud: {port: 80900}\n"
    )
    assert mistakes(text) == [
        "site.yaml:3:11: unknown key 'gateway.prot': did you mean 'port'?",
        "site.yaml:5:16: zones.0.name: string should match pattern '^[a-z0-9-]{1,40}$'",
        "site.yaml:5:34: missing key 'zones.0.title.zh'",
        "site.yaml:6:15: cloud.port: input should be less than or equal to 65535",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("inside: receiving", "inside: recieving", "no zone is called 'recieving': did you mean 'receiving'?"),
        ("outer: eye-gate-outer", "outer: eye-gate-outre", "did you mean 'eye-gate-outer'?"),
        ("name: reader-dock-2", "name: reader-dock-1", "'reader-dock-1' stands twice"),
        ("inside: [1, 4], outside: [2, 3]", "inside: [1, 2], outside: [2, 3]", "antennas [2] stand both"),
        ("sku: tomato-tray", "sku: lemon-4kg", "'lemon-4kg' stands for two things"),
    ],
)
def test_names_that_stand_for_nothing_or_for_two_things_are_told(old, new, says):
    assert any(says in mistake for mistake in mistakes(EXAMPLE.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "site.yaml:1:5: not YAML"),
        ("site: a\nsite: b\n", "not YAML"),
        ("- 1", "expected a mapping"),
        ("", "expected a mapping"),
        ("a: &x [*x]", "a"),
    ],
)
def test_what_is_no_site_file_at_all_is_told(text, says):
    assert any(says in mistake for mistake in mistakes(text))


def test_bytes_that_are_not_utf_8_are_told():
    with pytest.raises(BadSiteFile, match="not UTF-8"):
        site.parse(b"site: \xff", "site.yaml")


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_raises_bad_site_file_and_nothing_else(data):
    with pytest.raises(BadSiteFile):
        site.parse(data, "site.yaml")


@given(cut=st.integers(0, len(EXAMPLE)), noise=st.text(max_size=5))
def test_a_damaged_example_is_read_or_refused_with_a_place(cut, noise):
    told = []
    try:
        site.parse((EXAMPLE[:cut] + noise + EXAMPLE[cut:]).encode(), "site.yaml")
    except BadSiteFile as error:
        told = error.mistakes
    assert all(mistake.line >= 1 and mistake.column >= 1 for mistake in told)
