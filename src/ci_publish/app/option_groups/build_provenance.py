"""Build provenance (SLSA): made by attest, used by publish, demanded by verify."""

from pathlib import Path
from typing import Annotated

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import Builders, Identities
from ci_publish.model.attestation import BuildProvenancePolicy


class BuildProvenanceSettings(OptionGroup):
    """Build provenance (SLSA): made by attest, used by publish, demanded by verify."""

    heading = "attestations"

    build_provenance: Annotated[
        BuildProvenancePolicy,
        Option(
            help="Build provenance (SLSA) beside the distributions or in attestations-dir. if-present: upload it, or"
            " omit it with a warning if it is from another workflow or commit. required: upload nothing without it.",
            commands=SENDING | {"doctor"},
            input_name="build-provenance",
        ),
    ] = BuildProvenancePolicy.IF_PRESENT
    build: Annotated[
        bool,
        Option(
            help="Attest how the distributions were built (SLSA), instead of making publish attestations.",
            commands=frozenset({"attest"}),
            file=False,
        ),
    ] = False
    with_publish: Annotated[
        bool,
        Option(
            help="With --build: also make the publish attestations, with the same certificate.",
            commands=frozenset({"attest"}),
            file=False,
        ),
    ] = False
    subjects: Annotated[
        Path | None,
        Option(
            help="With --build: attest the files that FILE lists, which need not be present: JSON (a list of objects"
            " with filename and sha256) or the output of sha256sum.",
            commands=frozenset({"attest"}),
            metavar="FILE",
            file=False,
        ),
    ] = None
    sigstore_bundle: Annotated[
        bool,
        Option(
            help="With --build: also write each attestation as a Sigstore bundle, <distribution>.sigstore.json.",
            commands=frozenset({"attest"}),
            file=False,
        ),
    ] = False
    require_build_provenance: Annotated[
        bool,
        Option(
            help="Require the index to serve build provenance (SLSA) for every file.",
            commands=frozenset({"verify", "settings"}),
        ),
    ] = False
    builder: Annotated[
        Builders,
        Option(
            help="Which workflow must have made the build provenance, in the syntax of --publisher; if repeated,"
            " any one of them. Requires build provenance.",
            commands=frozenset({"verify", "settings"}),
            metavar="IDENTITY",
        ),
    ] = ()
    source: Annotated[
        Identities,
        Option(
            help="Which repository and workflow the build must have been started in, in the syntax of --publisher; if"
            " repeated, any one of them. Requires build provenance.",
            commands=frozenset({"verify", "settings"}),
            metavar="IDENTITY",
        ),
    ] = ()
