"""How this program was installed, so that a message about a missing extra has the line that installs it here."""

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Self

from ci_publish.about import NAME, __version__
from ci_publish.model.frozen import frozen


@frozen(kw_only=True)
class Installation:
    """An environment with this program in it.

    ``installer`` is what the distribution's INSTALLER says (``pip``, ``uv``), ``source`` the address that it was
    installed from where that was not an index (direct_url.json, https://packaging.python.org/specifications/direct-url/).
    """

    prefix: Path
    executable: str
    version: str
    installer: str
    source: str

    @classmethod
    def current(cls) -> Self:
        """Return the one that this process runs from."""
        try:
            distribution = importlib.metadata.distribution(NAME)
        except importlib.metadata.PackageNotFoundError:  # a checkout on sys.path, or the container image
            installer = source = ""
        else:
            installer = (distribution.read_text("INSTALLER") or "").strip()
            source = requirement_source(distribution.read_text("direct_url.json"))
        return cls(
            prefix=Path(sys.prefix), executable=sys.executable, version=__version__, installer=installer, source=source
        )

    def install(self, extra: str) -> str:
        """Return the command line that adds *extra*, by the tool that made this environment."""
        same = f" @ {self.source}" if self.source else f"=={self.version}"  # from the same place
        wanted = f'"{NAME}[{extra}]{same}"'
        if (self.prefix / "pipx_metadata.json").is_file():
            return f"pipx install --force {wanted}"
        if (self.prefix / "uv-receipt.toml").is_file():
            return f"uv tool install --force {wanted}"
        if self.prefix.parent.name == "pipx":  # the cache of `pipx run`
            return f"pipx run --spec {wanted} {NAME} …"
        if self.prefix.parent.name.startswith("archive-v"):  # the cache of `uvx`
            return f"uvx --from {wanted} {NAME} …"
        python = f'"{self.executable}"' if " " in self.executable else self.executable or "python3"
        if self.installer == "uv":
            return f"uv pip install --python {python} {wanted}"
        return f"{python} -m pip install {wanted}"


def requirement_source(direct_url: str | None) -> str:
    """Return the address in *direct_url* as a requirement names it, with the commit of a repository."""
    if not direct_url:
        return ""
    recorded = json.loads(direct_url)
    vcs = recorded.get("vcs_info")
    return f"{vcs['vcs']}+{recorded['url']}@{vcs['commit_id']}" if vcs else str(recorded["url"])
