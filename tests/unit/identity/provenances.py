"""Provenance as an index serves it, by one publisher or another."""

import json
from collections.abc import Callable

from ci_publish.model.index import (
    IndexState,
    ProjectListing,
    PublishedFile,
)

PUBLISHER = {"kind": "GitHub", "repository": "octo-org/demo", "workflow": "release.yml", "environment": None}


def provenance(**changes: object) -> bytes:
    bundle = {"publisher": {**PUBLISHER, **changes}, "attestations": []}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()


def attested(project: str, *, fresh: bool = False) -> IndexState:
    del fresh
    files = {
        f"{project}-{version}.tar.gz": PublishedFile(
            filename=f"{project}-{version}.tar.gz",
            url="",
            sha256="a" * 64,
            upload_time=f"2026-0{number}-01",
            provenance=link,
        )
        for number, (version, link) in enumerate([("0.1", "x"), ("0.2", "x"), ("0.3", None)], 1)
    }
    return ProjectListing(project=project, files=files)


def serving(content: bytes | None) -> Callable[[str, str, str], bytes | None]:
    def served(project: str, version: str, filename: str) -> bytes | None:
        assert (project, version, filename) == ("demo", "0.2", "demo-0.2.tar.gz"), "the newest one with provenance"
        return content

    return served
