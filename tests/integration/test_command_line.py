"""The exact forms of the command line that others rely on, as a shell sees them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import truecount
from contract import wire
from contract.events import DoorPass
from contract.site import Recordings
from contract.site_file import load
from edge.llrp.read import Read
from edge.recorder import Recorder

ROOT = Path(truecount.__file__).parent
DATA = Path(os.environ.get("TRUECOUNT_DATA", ROOT / "../shared/data"))
FRAME = bytes.fromhex("043e0000000b00000007" + "00")  # KEEPALIVE with one byte too many


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, truecount.__file__, *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def reads(tmp_path: Path) -> Path:
    """A tag that comes in: first strong outside (antenna 2), then strong inside (antenna 1)."""
    rows = ["timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,doppler_frequency"]
    for n in range(60):
        inside, outside = -75 + min(n, 40) // 2, -55 - n // 3
        rows.append(f"{1000 + n * 0.05},r,1,{inside},b'303435fc8803d056d15b963f',0,1,0")
        rows.append(f"{1000.02 + n * 0.05},r,2,{outside},b'303435fc8803d056d15b963f',0,1,0")
    path = tmp_path / "reads.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_replay_prints_one_wire_form_event_a_line(reads):
    result = run("replay", reads, "--inside", "1,4", "--outside", "2,3")
    assert (result.returncode, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    event = wire.decode_event(line.encode())
    assert isinstance(event, DoorPass)
    assert (event.direction, event.epcs) == ("inbound", ("303435fc8803d056d15b963f",))
    assert 0.5 < event.confidence <= 1
    assert event.evidence.inside.reads == event.evidence.outside.reads == 60


def test_replay_with_the_sides_exchanged_is_outbound(reads):
    result = run("replay", reads, "--inside", "2,3", "--outside", "1,4")
    assert json.loads(result.stdout)["direction"] == "outbound"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("timestamp,reader,antenna,rssi,epc\n1,r,1,x,aa\n", ":2"),
        ("a,b\n1,2\n", ":1"),
        ("", ":1"),
    ],
)
def test_replay_of_a_bad_file_names_the_line_and_ends_with_status_2(tmp_path, content, says):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    result = run("replay", path, "--inside", "1", "--outside", "2")
    assert result.returncode == 2
    assert f"bad.csv{says}" in result.stderr
    assert "Traceback" not in result.stderr


def test_replay_of_a_missing_file_says_so(tmp_path):
    result = run("replay", tmp_path / "none.csv", "--inside", "1", "--outside", "2")
    assert result.returncode == 2
    assert "none.csv" in result.stderr


def test_replay_with_antennas_that_are_no_numbers_says_what_it_wants(reads):
    result = run("replay", reads, "--inside", "1;4", "--outside", "2")
    assert result.returncode == 2
    assert "--inside: expected antenna numbers such as 1,4" in result.stderr


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The example site; its agent has just recorded how a tag came in by dock-1."""
    path = tmp_path / "site.yaml"
    text = (ROOT / "configs/site.yaml").read_text()
    assert "  - name: dock-edge\n" in text
    path.write_text(text.replace("  - name: dock-edge\n", f"  - name: dock-edge\n    data: {tmp_path / 'edge'}\n"))
    example = load(path)
    begin_us = time.time_ns() // 1000 - 5_000_000
    tape = Recorder(tmp_path / "edge", Recordings(), lambda: begin_us + 3_100_000).tape([example.doors[0]])
    assert tape is not None
    for n in range(60):
        for antenna, level_dbm, after_us in ((1, -75 + min(n, 40) // 2, 0), (2, -55 - n // 3, 20_000)):
            at_us = begin_us + n * 50_000 + after_us
            tape.reads([Read(at_us, "303435fc8803d056d15b963f", antenna, level_dbm, "reader-dock-1")])
    tape.due(begin_us + 4_500_000)
    tape.write(tape.take())
    tape.close()
    return path


def test_what_was_recorded_of_a_door_is_taken_out_and_decided_again_by_other_rules(site, tmp_path):
    out = tmp_path / "disputed.jsonl.gz"
    result = run("record", "dock-1", "--config", site, "--last", "10m", "--out", out)
    assert (result.returncode, result.stdout) == (0, f"{out}: 120 reads of 1 tags at dock-1\n"), result.stderr

    plain = run("replay", out)
    (event,) = map(wire.decode_event, plain.stdout.encode().splitlines())
    assert isinstance(event, DoorPass)
    assert (event.door, event.direction) == ("dock-1", "inbound")
    assert (plain.returncode, plain.stderr) == (0, "")

    tried = run("replay", out, "--set", "margin=1000", "--set", "min_confidence=0.9")
    assert tried.returncode == 0
    assert json.loads(tried.stdout)["direction"] == "unknown"
    summary = [line.split(maxsplit=1) for line in tried.stderr.splitlines()]
    assert ["1", "a direction before, now unknown"] in [[part.strip() for part in line] for line in summary]
    assert "303435fc8803d056d15b963f" in tried.stderr
    assert f"inbound {event.confidence:.2f}" in tried.stderr

    same = run("replay", out, "--set", "group=1.5")
    assert same.stdout == plain.stdout
    assert "303435fc8803d056d15b963f" not in same.stderr, "only what would change is told tag by tag"


def test_recording_a_door_that_is_not_there_or_was_not_recorded_says_so(site, tmp_path):
    result = run("record", "dock-9", "--config", site, "--last", "10m")
    assert result.returncode == 2
    assert "no door 'dock-9': there are dock-1" in result.stderr
    result = run("record", "dock-2", "--config", site, "--last", "10m", "--out", tmp_path / "x")
    assert result.returncode == 2
    assert "nothing was recorded of door 'dock-2'" in result.stderr
    assert not (tmp_path / "x").exists()
    result = run("record", "dock-1", "--config", site, "--last", "soon")
    assert result.returncode == 2
    assert "--last: expected a time such as 30s" in result.stderr


def test_replay_by_a_rule_that_is_none_says_which_was_meant(reads):
    result = run("replay", reads, "--inside", "1", "--outside", "2", "--set", "margn=1")
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean margin_s?" in result.stderr


def test_llrp_decode_prints_one_object_a_frame_and_goes_on_after_a_bad_one(tmp_path):
    good = bytes.fromhex("043e0000000a00000009")  # KEEPALIVE
    path = tmp_path / "frames.bin"
    path.write_bytes(good + FRAME + good)
    result = run("llrp", "decode", path)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("type") for line in lines if "error" not in line] == ["KEEPALIVE", "KEEPALIVE"]
    assert any("error" in line for line in lines)
    assert result.returncode == 1


@pytest.mark.skipif(not (DATA / "llrp").exists(), reason="the real LLRP frames are not here (TRUECOUNT_DATA)")
def test_llrp_decode_reads_every_real_frame():
    files = sorted((DATA / "llrp").glob("*/*.bin"))
    result = run("llrp", "decode", *files)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.returncode, len(lines)) == (0, 24 + 78 + 13)
    tags = [tag for line in lines for tag in line.get("tags", ())]
    asked = {"epc", "antenna", "rssi_dbm", "count", "first_seen_us", "last_seen_us"}
    assert any(asked <= tag.keys() for tag in tags)


def test_config_check_is_content_with_the_example_and_says_what_it_holds():
    result = run("config", "check", ROOT / "configs/site.yaml")
    assert result.returncode == 0
    assert "3 doors" in result.stdout


def test_config_check_tells_all_mistakes_with_places_and_ends_with_status_2(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text((ROOT / "configs/site.yaml").read_text().replace("port: 8080", "prot: 1").replace("unit", "x"))
    path.write_text(path.read_text().replace("inside: receiving", "insde: receiving", 1))
    result = run("config", "check", path)
    assert result.returncode == 2
    assert "site.yaml:7:11: unknown key 'gateway.prot': did you mean 'port'?" in result.stderr
    assert "did you mean 'inside'?" in result.stderr
    assert "mistakes in" in result.stderr


def test_a_process_with_a_bad_site_file_does_not_begin(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text("site: north\n")
    for command in ("edge", "gateway", "cloud", "sim", "broker", "demo"):
        result = run(command, "--config", path)
        assert result.returncode == 2, command
        assert "missing key 'agents'" in result.stderr


@pytest.mark.parametrize("command", [[], ["inspect"], ["llrp", "decode"]])
def test_the_help_comes_for_its_short_option_too(command):
    short, long = run(*command, "-h"), run(*command, "--help")
    assert (short.returncode, short.stderr) == (0, "")
    assert short.stdout == long.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("name", "led", "says"),
    [
        ("frames.bin", ">/dev/full", "output cannot be written: No space left on device"),
        ("frames.bin", ">&-", "standard output or standard error is closed: lead it to a file, or to /dev/null"),
        ("none.bin", "2>/dev/full", ""),
        ("frames.bin", "2>&-", ""),
    ],
)
def test_output_that_cannot_be_written_ends_a_command_in_words_with_status_1(tmp_path, name, led, says, unbuffered):
    (tmp_path / "frames.bin").write_bytes(bytes.fromhex("043e0000000a00000009"))
    arguments = ["llrp", "decode", str(tmp_path / name)]
    argv = ["sh", "-c", f'exec "$@" {led}', "sh", sys.executable, truecount.__file__, *arguments]
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert result.returncode == 1
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_a_report_needs_a_duration(tmp_path):
    result = run("demo", "--report", tmp_path / "r.json")
    assert result.returncode == 2
    assert "--duration" in result.stderr


def test_a_demo_folder_that_is_not_a_demos_is_left_alone(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    result = run("demo", "--data", tmp_path, "--headless", "--duration", 1)
    assert result.returncode == 1
    assert "name another folder with --data" in result.stderr
    assert (tmp_path / "precious.txt").exists()
