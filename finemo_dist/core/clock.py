"""Where the time goes."""

import time


class Clock:
    """Adds up wall time by stage, from one lap to the next.

    Parameters
    ----------
    since
        When the first lap began, by ``time.perf_counter``; now when None.
    """

    def __init__(self, since: float | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter() if since is None else since

    def lap(self, stage: str) -> None:
        """Count the time since the last lap to a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now
