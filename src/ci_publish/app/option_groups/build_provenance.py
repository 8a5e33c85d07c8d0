"""Build provenance (SLSA): created by attest, used by publish, required by verify."""

from pathlib import Path
from typing import Annotated

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import Builders, Identities
from ci_publish.model.attestation import BuildProvenancePolicy


class BuildProvenanceSettings(OptionGroup):
    """Build provenance (SLSA): created by attest, used by publish, required by verify."""

    heading = "attestations"

    build_provenance: Annotated[
        BuildProvenancePolicy,
        Option(
            help="How to use build provenance (SLSA) next to the distributions or in attestations-dir. if-present"
            " uploads it, but omits it with a warning if it comes from a different workflow or commit. required fails"
            " if there is none. off never uploads it.",
            commands=SENDING | {"doctor"},
            input_name="build-provenance",
        ),
    ] = BuildProvenancePolicy.IF_PRESENT
    build: Annotated[
        bool,
        Option(
            help="Create build provenance (SLSA) instead of publish attestations.",
            commands=frozenset({"attest"}),
            file=False,
        ),
    ] = False
    with_publish: Annotated[
        bool,
        Option(
            help="With --build, also create publish attestations, with the same certificate.",
            commands=frozenset({"attest"}),
            file=False,
        ),
    ] = False
    subjects: Annotated[
        Path | None,
        Option(
            help="With --build, attest the files listed in FILE, which need not be on this machine. FILE is JSON (a"
            " list of objects with filename and sha256) or the output of sha256sum.",
            commands=frozenset({"attest"}),
            metavar="FILE",
            file=False,
        ),
    ] = None
    sigstore_bundle: Annotated[
        bool,
        Option(
            help="With --build, also write each attestation as a Sigstore bundle, <distribution>.sigstore.json.",
            commands=frozenset({"attest"}),
            file=False,
        ),
    ] = False
    require_build_provenance: Annotated[
        bool,
        Option(
            help="Require build provenance (SLSA) for every file on the index.",
            commands=frozenset({"verify", "settings"}),
        ),
    ] = False
    builder: Annotated[
        Builders,
        Option(
            help="Expected builder workflow, in the syntax of --publisher. If repeated, the builder must match at least"
            " one of the values. Requires build provenance.",
            commands=frozenset({"verify", "settings"}),
            metavar="IDENTITY",
        ),
    ] = ()
    source: Annotated[
        Identities,
        Option(
            help="Expected source repository and workflow of the build, in the syntax of --publisher. If repeated,"
            " the source must match at least one of the values. Requires build provenance.",
            commands=frozenset({"verify", "settings"}),
            metavar="IDENTITY",
        ),
    ] = ()
