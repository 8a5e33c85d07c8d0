"""A headless Chromium, spoken to over a pipe (the DevTools protocol: https://chromedevtools.github.io/devtools-protocol/).

No driver, no port, no library. Nothing but loopback can be reached from the browser.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--hide-scrollbars",
    # Whatever a page asks for elsewhere goes nowhere; the tests see that it was asked for.
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=127.0.0.1",
    "--remote-debugging-pipe",
    "about:blank",
)


def find_browser() -> str | None:
    """Return the path of a Chromium, None where none is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Page:
    """One tab. ``blocked`` are addresses that a page's own policy kept it from asking for, ``requested`` all others."""

    _to: IO[bytes]
    _from: IO[bytes]
    _session: str = ""
    requested: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _asked: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def attach(self) -> None:
        """Open a tab and listen to it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method and return its result; events that come meanwhile are noted."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, scale: float = 1.0) -> None:
        """Show *url* in a window of that size, and wait until it has loaded."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        if "loaderId" in self.call("Page.navigate", url=url):  # else only the fragment is another
            while self._read().get("method") != "Page.loadEventFired":
                pass

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page says
        """Return the value of a JavaScript expression."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write what is shown as a PNG; with *whole*, down to the end of the page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        """Ask the browser to end, its helpers included."""
        self._session = ""
        self.call("Browser.close")

    def _read(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self._from.read(1)) not in {b"\0", b""}:
            message += byte
        assert message, "the browser has ended"
        found: dict[str, Any] = json.loads(message)
        self._note(found)
        return found

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self._asked[params["requestId"]] = params["request"]["url"]
                self.requested.append(params["request"]["url"])
            case "Network.loadingFailed" if params.get("blockedReason") == "csp":
                url = self._asked[params["requestId"]]
                self.requested.remove(url)
                self.blocked.append(url)
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.problems.append(params["entry"]["text"])
            case _:
                pass


@contextmanager
def browser(executable: str, folder: Path) -> Iterator[Page]:
    """Start a browser with a profile in *folder*; it is gone at the end."""
    from_us, to_us = os.pipe(), os.pipe()
    # The browser reads from file descriptor 3 and writes to 4: a shell moves them there.
    script = f'exec "$0" "$@" 3<&{from_us[0]} 4>&{to_us[1]}'
    command = ["bash", "-c", script, executable, f"--user-data-dir={folder / 'profile'}", *FLAGS]
    process = subprocess.Popen(
        command, pass_fds=(from_us[0], to_us[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(from_us[0])
    os.close(to_us[1])
    try:
        with os.fdopen(from_us[1], "wb") as writing, os.fdopen(to_us[0], "rb") as reading:
            page = Page(writing, reading)
            page.attach()
            yield page
            page.close()
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the browser is gone; ask it once more where it is not."""
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(timeout=20)
