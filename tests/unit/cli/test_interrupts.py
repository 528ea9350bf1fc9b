"""Signals become one interrupt."""

import signal

import pytest

from finemo_dist.cli import interrupts as module
from finemo_dist.cli.interrupts import Interrupts
from tests.command import kept_signal_handlers

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _handlers():
    """Start as Python does, and leave this process the handlers it had."""
    with kept_signal_handlers():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        yield


@pytest.fixture
def installed() -> Interrupts:
    interrupts = Interrupts()
    interrupts.install()
    return interrupts


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.usefixtures("installed")
def test_a_signal_is_an_interrupt(number):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.usefixtures("installed")
def test_the_same_demand_by_another_way_does_not_interrupt_the_closing(number):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)

    signal.raise_signal(number)
    signal.raise_signal(number)


@pytest.mark.usefixtures("installed")
def test_a_signal_counts_again_when_closing_takes_too_long(monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", lambda: 100.0)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(module.time, "monotonic", lambda: 100.0 + module.REPEAT_S)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_last_words_are_not_interrupted(installed):
    installed.end()

    for number in SIGNALS:
        signal.raise_signal(number)


def test_what_was_to_be_ignored_stays_ignored():
    """As of a job in the background of a script, or below nohup."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    Interrupts().install()

    signal.raise_signal(signal.SIGINT)
