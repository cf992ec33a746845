"""The site file tells all its mistakes at once, each where it stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import site_file
from contract.errors import BadSiteFile

CONFIGS = Path(__file__).parents[2] / "configs"
EXAMPLE = (CONFIGS / "site.yaml").read_text()


def mistakes(text: str) -> list[str]:
    with pytest.raises(BadSiteFile) as caught:
        site_file.parse(text.encode(), "site.yaml")
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_example_files_are_right(path):
    assert site_file.load(path).doors


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
        ("a: &x [*x]", "unknown key 'a'"),
        ("site: a\ntitle: \0", "site.yaml:2:8: not YAML: special characters are not allowed"),
        ("site:\tx", "site.yaml:1:6: not YAML"),
        ("a: {" * 5000, "brackets are open"),
        ("[" * 100_000, "site.yaml:1:65: more than 64 brackets are open"),
        ("- " * 3000, "not YAML"),
        ("#" * (site_file.MAX_BYTES + 1), "longer than 1048576 bytes"),
        ("a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)), "aliases"),
    ],
)
def test_what_is_no_site_file_at_all_is_told(text, says):
    assert any(says in mistake for mistake in mistakes(text))


def test_bytes_that_are_not_utf_8_are_told():
    with pytest.raises(BadSiteFile, match=r"site\.yaml:2:9: not UTF-8"):
        site_file.parse(b"site: a\nagents: \xff", "site.yaml")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("site: north", 'site: !!python/object/apply:os.system ["exit 1"]', "site: input should be a valid string"),
        ("sale_every_s: 6", "sale_every_s: .nan", "simulation.sale_every_s: input should be a finite number"),
        ("sale_every_s: 6", "sale_every_s: -.inf", "simulation.sale_every_s: input should be a finite number"),
        ("inside: [1, 4]", "inside: [0, 65536]", "doors.0.readers.0.inside.1: input should be less than or equal"),
        ("site: north", "site: north\nsite: south", 'found duplicate key "site"'),
        ("port: 8090", "port: " + "9" * 5000, "not YAML"),
    ],
)
def test_tags_numbers_and_doubles_of_ill_will_are_told(old, new, says):
    assert any(says in mistake for mistake in mistakes(EXAMPLE.replace(old, new, 1)))


def test_an_endless_file_is_not_read_to_its_end():
    with pytest.raises(BadSiteFile, match="longer than"):
        site_file.load(Path("/dev/zero"))


def test_aliases_are_welcome_in_reason():
    text = EXAMPLE.replace("inside: [1, 4]", "inside: &in [1, 4]", 1).replace("inside: [1, 4]", "inside: *in")
    assert site_file.parse(text.encode(), "site.yaml") == site_file.parse(EXAMPLE.encode(), "site.yaml")


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_raises_bad_site_file_and_nothing_else(data):
    with pytest.raises(BadSiteFile):
        site_file.parse(data, "site.yaml")


@given(cut=st.integers(0, len(EXAMPLE)), noise=st.text(max_size=5))
def test_a_damaged_example_is_read_or_refused_with_a_place(cut, noise):
    told = []
    try:
        site_file.parse((EXAMPLE[:cut] + noise + EXAMPLE[cut:]).encode(), "site.yaml")
    except BadSiteFile as error:
        told = error.mistakes
    assert all(mistake.line >= 1 and mistake.column >= 1 for mistake in told)


LINE = """
modbus:
  - name: plc-line
    agent: dock-edge
    poll_s: 0.01
    registers:
      - {name: line-eyes, table: input, address: 0, meaning: eye_count}
      - {name: line-encoder, table: input, address: 1, meaning: encoder}
      - {name: line-pass, table: coil, address: 0, meaning: pass_coils}
      - {name: line-lamp, table: coil, address: 40, meaning: stack_green}
      - {name: other-eyes, table: input, address: 5, meaning: eye_count}
      - {name: other-pass, table: coil, address: 64, meaning: pass_coils}
  - name: plc-2
    agent: dock-edge
    poll_s: 0.01
    registers: [{name: far-eyes, table: input, address: 0, meaning: eye_count}]
lines:
  - name: line-a
    title: {en: A, zh: A}
    agent: dock-edge
    crop: lemon
    camera: {kind: mjpeg, name: camera-a, url: "http://127.0.0.1:8083/"}
    gate: {modbus: plc-line, eye_count: line-eyes, encoder: line-encoder, pass_coils: line-pass, places: 16}
  - name: line-b
    title: {en: B, zh: B}
    agent: dock-edge
    crop: tomato
    camera: {kind: usb, name: camera-b}
    gate: {modbus: plc-line, eye_count: other-eyes, pass_coils: other-pass}
"""
SMALL = """
site: north
title: {en: North, zh: 北区}
agents: [{name: dock-edge}, {name: other-edge}]
zones: [{name: cold-room, title: {en: Cold room, zh: 冷库}}]
"""


def test_lines_with_gates_of_their_own_are_right():
    assert [line.name for line in site_file.parse((SMALL + LINE).encode(), "site.yaml").lines] == ["line-a", "line-b"]


def test_an_eye_behind_the_picture_needs_an_encoder():
    camera = 'camera: {kind: mjpeg, name: camera-a, url: "http://127.0.0.1:8083/"}'
    behind = LINE.replace(camera, camera + "\n    eye_at: 1.3", 1)
    assert site_file.parse((SMALL + behind).encode(), "site.yaml").lines[0].eye_at == 1.3
    without = behind.replace(", encoder: line-encoder", "", 1)
    assert any("lines.0.eye_at: an eye outside" in mistake for mistake in mistakes(SMALL + without))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("eye_count: line-eyes", "eye_count: line-eye", "no register is called 'line-eye': did you mean 'line-eyes'?"),
        ("modbus: plc-line,", "modbus: plc-lime,", "no Modbus device is called 'plc-lime'"),
        ("eye_count: line-eyes", "eye_count: line-encoder", "'line-encoder' is 'encoder' in table 'input': it must be"),
        (
            "{name: line-pass, table: coil",
            "{name: line-pass, table: holding",
            "it must be 'pass_coils' in table 'coil'",
        ),
        ("agent: dock-edge\n    poll_s", "agent: other-edge\n    poll_s", "is of agent 'other-edge', and the line of"),
        ("eye_count: other-eyes", "eye_count: line-eyes", "'line-eyes' is the one of line 'line-a', too"),
        ("eye_count: other-eyes", "eye_count: far-eyes", "'far-eyes' is no register of 'plc-line'"),
        ("address: 64", "address: 15", "coils 15 to 30 are those of line 'line-a', too"),
        ("address: 64", "address: 30", "coils 30 to 45 are those of register 'line-lamp', too"),
        ("address: 64", "address: 65530", "coils 65530 to 65545: no such"),
        ("pass_coils: other-pass}", "pass_coils: other-pass, margin_s: 0.5}", "leaves nothing of travel_s"),
        ("poll_s: 0.01", "poll_s: 0.3", "too seldom for fruit that is at the gate after 0.5 s"),
        ("camera: {kind: usb, name: camera-b}", "camera: {kind: usb, name: camera-a}", "'camera-a' stands for two"),
        (
            "camera: {kind: usb, name: camera-b}",
            "camera: {kind: usb, name: camera-b}\n    eye_at: 1.1",
            "name gate.encoder",
        ),
        (
            "camera: {kind: usb, name: camera-b}",
            "camera: {kind: usb, name: camera-b}\n    eye_at: -0.1",
            "name gate.encod",
        ),
    ],
)
def test_a_gate_whose_registers_cannot_be_a_gates_is_told(old, new, says):
    assert old in LINE
    assert any(says in mistake for mistake in mistakes(SMALL + LINE.replace(old, new, 1)))
