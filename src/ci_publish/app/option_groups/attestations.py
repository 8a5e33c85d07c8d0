"""Attestations: whether they are created, their expected signers, and the Sigstore instance."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import Identities, parse_attestation_policy
from ci_publish.model.attestation import AttestationPolicy


class AttestationSettings(OptionGroup):
    """Attestations: whether they are created, their expected signers, and the Sigstore instance."""

    heading = "attestations"

    attestations: Annotated[
        AttestationPolicy,
        BeforeValidator(parse_attestation_policy),
        Option(
            help="Whether to create PEP 740 attestations. auto means required with Trusted Publishing on PyPI and"
            " TestPyPI, and off otherwise. true means auto, and false means off.",
            commands=SENDING | {"verify", "attest", "doctor"},
            input_name="attestations",
        ),
    ] = AttestationPolicy.AUTO
    attestations_dir: Annotated[
        Path | None,
        Option(
            help="Folder for the new attestations. Existing build provenance (SLSA) in the folder is used.",
            commands=SENDING | {"doctor"},
            metavar="DIR",
            input_name="attestations-dir",
        ),
    ] = None
    attested_by: Annotated[
        Identities,
        Option(
            help="Additional signer whose existing attestation files are accepted, in the syntax of verify's publisher"
            " option. Repeatable.",
            commands=SENDING | {"attest", "doctor"},
            metavar="IDENTITY",
            input_name="attested-by",
        ),
    ] = ()
    publisher: Annotated[
        Identities,
        Option(
            help="Expected signer: github:OWNER/REPO[:WORKFLOW][#ENVIRONMENT],"
            " gitlab:GROUP/…/PROJECT[:FILE][#ENVIRONMENT] or google:EMAIL. If repeated, the signer must match at least"
            " one of the values. For files in a CI job, the default is the job's own repository.",
            commands=frozenset({"verify", "settings"}),
            metavar="IDENTITY",
        ),
    ] = ()
    sigstore_trust_config: Annotated[
        Path | None,
        Option(
            help="Sigstore ClientTrustConfig file (JSON) for a private instance.",
            commands=SENDING | {"verify", "attest", "doctor"},
            metavar="FILE",
            input_name="sigstore-trust-config",
        ),
    ] = None
    signing_timeout: Annotated[
        float,
        Field(gt=0),
        Option(
            help="Time limit for signing all files. At most half of the time left until the deadline is used.",
            commands=SENDING | {"attest"},
            metavar="SECONDS",
            input_name="signing-timeout",
        ),
    ] = 300.0
    output_dir: Annotated[
        Path | None,
        Option(
            help="Folder for the attestations.",
            commands=frozenset({"attest"}),
            metavar="DIR",
        ),
    ] = None
