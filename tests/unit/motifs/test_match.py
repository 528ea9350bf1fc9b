"""Comparing with a database takes minutes the first time, and says that it works."""

import threading

from finemo_dist.motifs.match import _with_signs_of_life


def test_what_takes_long_says_that_it_works(caplog):
    release = threading.Event()
    caplog.set_level("INFO")

    def work():
        release.wait(10)
        return 7

    caplog.handler.addFilter(lambda record: release.set() or True)

    assert _with_signs_of_life(work, every_s=0.01) == 7
    assert "Still comparing after 0 s" in caplog.text
