"""Where secrets are revealed: by the clients that send them and by the masking port, nowhere else."""

import re
from pathlib import Path

import ci_publish

# http.transport sends to the index, attestations.authority hands the identity to Sigstore's client, identity decodes
# the claims of a token and looks at the prefix of an API token, app.token_guard tells upload tokens to the process that
# burns them, over a pipe.
REVEALING = {
    "app/token_guard.py",
    "http/transport.py",
    "attestations/authority.py",
    "reports/masking.py",
}
ROOT = Path(ci_publish.__file__).parent


def test_secrets_are_revealed_only_where_they_are_sent_or_masked() -> None:
    found = {
        str(path.relative_to(ROOT).as_posix())
        for path in ROOT.rglob("*.py")
        if re.search(r"\breveal\b", path.read_text(encoding="utf-8")) and path.parts[-2:] != ("model", "identity.py")
    }
    assert {name for name in found if not name.startswith("rehearsal/")} == REVEALING
