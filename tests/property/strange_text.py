"""Text of strangers, made of fragments that broke something somewhere: nested groups, long numbers, broken markup.

Each choice is the dice's: a seeded ``random.Random``, or Hypothesis's, which shrinks what it finds.
"""

import random
from dataclasses import dataclass

from ci_publish.http.messages import HttpAnswer

FRAGMENTS = (
    "(" * 3_000,
    "[" * 3_000,
    "{" * 3_000,
    '{"a":' * 2_000,
    "<a " * 300,
    "<!--",
    "<![CDATA[",
    "<!doctype",
    "&#" + "9" * 5_000,
    "1" * 5_000,
    "1." * 2_000,
    "0!" * 100,
    "-1",
    "1e400",
    "NaN",
    "Infinity",
    "\0",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\ufffe",
    "\r",
    "\r\n",
    "\n",
    "\n\n",
    "\n ",
    "\t",
    " ",
    "",
    ":",
    ";",
    ",",
    "=",
    "==",
    ">=",
    "~=",
    "@",
    "#",
    "%",
    "%zz",
    "\\",
    '"',
    "'",
    "a",
    "demo",
    "demo-1.0",
    ".tar.gz",
    ".whl",
    "-py3-none-any",
    "a." * 300,
    "é",
    "İ",
    "ß",
    "\uff11",
    "²",
    "http://[",
    "https://[::1",
    "https://e:99999/",
    "//",
    "?",
    "<script>",
    "</script",
    "<a href='",
    "a@b",
    "<a@b>",
    "(a)",
    "a (",
    "; python_version<'3'",
    " and ",
    " or ",
    "not ",
    "==1.*",
    "[x]",
    "MIT",
    "WITH",
    " OR ",
    "text/markdown",
    "; charset=",
    "UNKNOWN",
    "None",
    "true",
    "[a]",
    "a = 1",
    "a = [",
    "'''",
    '"""',
    "1979-05-27",
    "1979-05-27T99:99:99",
    "0x",
    "0o8",
    "inf",
    "[[a]]",
    "a.b.c = ",
)
FIELDS = (
    "Metadata-Version",
    "Name",
    "Version",
    "Summary",
    "Requires-Dist",
    "Provides-Dist",
    "Obsoletes-Dist",
    "Requires-Python",
    "Author-Email",
    "Maintainer-Email",
    "License",
    "License-Expression",
    "License-File",
    "Home-Page",
    "Download-URL",
    "Project-URL",
    "Classifier",
    "Dynamic",
    "Keywords",
    "Description-Content-Type",
    "Description",
    "Provides-Extra",
    "Import-Name",
    "Import-Namespace",
    "Platform",
    "Requires-External",
    "X-Unknown",
)
KEYS = (
    "files",
    "urls",
    "meta",
    "api-version",
    "filename",
    "hashes",
    "sha256",
    "url",
    "token",
    "expires",
    "message",
    "errors",
    "code",
    "audience",
    "subject",
    "name",
    "digest",
    "predicateType",
    "yanked",
    "versions",
    "info",
)
TYPES = ("text/html", "application/json", "application/vnd.pypi.simple.v1+json", "text/plain", "\0", "")

STATUSES = (200, 201, 204, 301, 307, 400, 403, 409, 422, 429, 500, 503, 999)


@dataclass(frozen=True)
class Stranger:
    """Writes text. *fragments* are added to those that are known."""

    chance: random.Random
    fragments: tuple[str, ...] = ()

    def text(self, most: int = 6) -> str:
        fragments = FRAGMENTS + self.fragments * 20
        return "".join(self.chance.choice(fragments) for _ in range(self.chance.randint(0, most)))

    def data(self) -> bytes:
        noise = self.chance.choice((0, 0, 0, 5))
        return self.text().encode("utf-8", "surrogatepass") + bytes(self.chance.randrange(256) for _ in range(noise))

    def value(self, depth: int = 3) -> str:
        """Return JSON of the known keys with strange values."""
        kind = self.chance.random()
        if depth and kind < 0.4:
            items = (f'"{self.chance.choice(KEYS)}":{self.value(depth - 1)}' for _ in range(4))
            return "{" + ",".join(items) + "}"
        if depth and kind < 0.55:
            return "[" + ",".join(self.value(depth - 1) for _ in range(3)) + "]"
        if kind < 0.8:
            return '"' + self.text().replace("\\", "\\\\").replace('"', '\\"')[:500].replace("\n", "\\n") + '"'
        numbers = ("0", "-1", "1.5", "1e999", "1" * 4_000, "1" * 5_000)
        return self.chance.choice(("null", "true", *numbers, '"' + "0" * 64 + '"', '"GitHub"'))

    def body(self) -> bytes:
        return self.data() if self.chance.random() < 0.5 else self.value().encode("utf-8", "surrogatepass")

    def answer(self) -> HttpAnswer:
        names = ("retry-after", "ratelimit", "date", "location", "content-type")
        headers = {name: self.text()[:300] for name in names if self.chance.random() < 0.3}
        return HttpAnswer(status=self.chance.choice(STATUSES), reason=self.text(), headers=headers, body=self.body())

    def metadata(self) -> bytes:
        """Return core metadata, of METADATA and PKG-INFO alike, with a description."""
        lines = ["Metadata-Version: 2.4", "Name: demo", "Version: 1.0"] if self.chance.random() < 0.7 else []
        lines += [f"{self.chance.choice(FIELDS)}: {self.text()}" for _ in range(self.chance.randint(0, 4))]
        return "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n\n" + self.data()

    def description(self) -> str:
        words = self.text()[:2_000].encode("utf-8", "replace").decode()
        for nested in ("(" * 100, "[" * 100, "<a <a"):  # another process renders these, which takes a while
            words = words.replace(nested, "")
        return words

    def media_type(self) -> str:
        return self.chance.choice(("text/markdown", "text/x-rst", "text/plain", self.text()))
