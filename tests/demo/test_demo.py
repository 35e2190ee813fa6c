"""A whole demo as a person would start it, and what it leaves behind."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from app.core.phones import NotAPhone, parse_phone
from app.demo.__main__ import QUICK_CONTACTS
from app.demo.carrier import LINK
from app.demo.people import make_contacts, words_of
from app.local.environment import DEVELOPMENT_SECRETS, ROOT
from app.local.servers import SERVER_VARIABLES, remove
from app.local.supervisor import World

LONGEST_SECONDS = 300
pytestmark = pytest.mark.timeout(LONGEST_SECONDS + 60)
ONLY_WEB = {"worker-sending": 0, "worker-events": 0, "worker-imports": 0, "scheduler": 0}
JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")


@dataclass(frozen=True)
class Played:
    """A finished demo."""

    folder: Path
    code: int
    printed: str

    @property
    def figures(self) -> dict[str, Any]:
        return json.loads((self.folder / "demo.json").read_text())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("demo")
    yield play(folder)
    remove(folder)


def test_the_books_balance(played: Played):
    assert played.code == 0, played.printed
    assert "The books balance" in played.printed


def test_the_figures_agree_with_each_other(played: Played):
    figures = played.figures
    credits = figures.pop("credits")

    assert set(figures) == {
        *("recipients", "accepted", "delivered", "failed", "refunded", "opted_out", "sent_twice"),
        *("audit", "seconds", "automation_texts", "paid_cents"),
    }
    assert credits["bought"] > 0 and figures["paid_cents"] > 0
    assert figures["automation_texts"] == 1
    assert figures["recipients"] == figures["delivered"] + figures["failed"] > 0
    assert figures["accepted"] == figures["delivered"] + figures["refunded"]
    assert figures["recipients"] > figures["accepted"], "the carrier has refused nothing"
    assert figures["refunded"] > 0 and figures["opted_out"] > 0
    assert figures["sent_twice"] == 0
    assert credits["held"] == credits["captured"] + credits["released"]
    assert 0 < credits["refunded"] < credits["captured"]
    assert figures["audit"]["checks"] > 0 and figures["audit"]["differences"] == 0


def test_it_tells_the_whole_story_without_a_terminal(played: Played):
    assert "\x1b" not in played.printed and "\r" not in played.printed
    for words in (
        *(
            "smart encoding",
            "never consented",
            "100 %",
            "answer was lost",
            "opened the link",
            "answered STOP",
        ),
        *("opted out before, after", "sent twice", "credits refunded", "audit", "/docs", "Phone inbox"),
    ):
        assert words in played.printed


def test_no_log_names_a_customer_or_a_secret(played: Played):
    assert played.code == 0, played.printed
    logs = sorted(played.folder.rglob("*.log"))
    assert {log.name for log in logs} >= {"web.log", "worker-sending.log", "worker-events.log"}
    secrets = personal_words(played.folder)
    assert len(secrets) > QUICK_CONTACTS

    assert [f"{log.name}: {word}" for log in logs for word in found_in(log, secrets)] == []


def test_the_search_finds_what_it_looks_for(tmp_path: Path):
    log = tmp_path / "web.log"
    log.write_text(
        json.dumps({"event": "a phone +306975777526 of Ελένη"})  # as the logs spell Greek: \\u0395…
        + "\nGET /r/AAAAAAB_c3cre7t- by eyJhbGciOiJIUzI1NiJ9.eyJzdG9yZUlkIjoiMSJ9.abc\n"
    )

    found = found_in(log, {"6975777526", "Ελένη", "AAAAAAB_c3cre7t-", "Γιώργος"})

    assert found == ["6975777526", "AAAAAAB_c3cre7t-", "eyJ…", "Ελένη"]


def test_make_run_shows_the_same_world(played: Played, monkeypatch: pytest.MonkeyPatch):
    for name in SERVER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with World(played.folder, web_port=0, sandbox_port=0, copies=ONLY_WEB) as world:
        token = flask(world, "shops", "token", "demo-1.myshopify.com")
        contacts = ask(f"{world.url}/contacts", token)["data"]["total"]
        campaigns = ask(f"{world.url}/campaigns", token)["data"]["campaigns"]
        totals = ask(f"{world.sandbox_url}/inbox/conversations")["totals"]

    figures = played.figures
    assert contacts > figures["recipients"] / 2
    assert sorted(one["name"] for one in campaigns) == ["Summer sale", "Thank you, VIPs"]
    assert sum(one["deliveredCount"] for one in campaigns) == figures["delivered"]
    assert totals["delivered"] == figures["delivered"] + figures["automation_texts"]
    assert totals["failed"] == figures["refunded"]
    assert totals["onTheWay"] == 0 and totals["replies"] > 0


def test_a_folder_whose_system_is_up_is_left_alone(tmp_path: Path):
    with (tmp_path / "world.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = play(tmp_path)

    assert refused.code == 2
    assert "already up" in refused.printed


def play(folder: Path) -> Played:
    """Run the demo with servers of its own. One that hangs is asked to end, so that its system ends too."""
    env = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    command = [sys.executable, "-m", "app.demo", "--quick", "--data-dir", str(folder)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**env, "PORT": "0", "SANDBOX_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        try:
            printed, _ = demo.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            demo.terminate()
            printed, _ = demo.communicate()
    return Played(folder, demo.returncode, printed)


def personal_words(folder: Path) -> set[str]:
    """Everything of this run that must stand in no log: people, numbers in all spellings, tokens, secrets."""
    rows = make_contacts(QUICK_CONTACTS).rows
    words = words_of(rows) | set(DEVELOPMENT_SECRETS.values())
    for row in rows:
        try:
            e164 = parse_phone(row.mobile.strip(" ='\""), "GR").e164
        except NotAPhone:
            continue
        words |= {row.mobile.strip(), e164, e164[1:], e164.removeprefix("+30")}
    with sqlite3.connect(folder / "sandbox.db") as store:
        texts = [text for (text,) in store.execute("SELECT text FROM messages WHERE is_reply = 0")]
    store.close()
    tokens = {link.rpartition("/")[2] for text in texts for link in LINK.findall(text)}
    assert len(tokens) > len(texts) > 0
    return words | tokens


def found_in(log: Path, words: Iterable[str]) -> list[str]:
    """Which of `words` the log contains, however it spells them; `eyJ…` for any JWT."""
    raw = log.read_text(errors="replace")
    spelled_out = re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), raw)
    texts = (raw.casefold(), spelled_out.casefold())
    found = {word for word in words if any(word.casefold() in text for text in texts)}
    return sorted(found | ({"eyJ…"} if JWT.search(raw) else set()))


def flask(world: World, *words: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    done = subprocess.run(command, cwd=ROOT, env=world.env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def ask(url: str, token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(url, headers=headers, timeout=20)
    answer.raise_for_status()
    return answer.json()
