"""Attestations: whether they are made, by whom they must be, and Sigstore's instance."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import Identities, parse_attestation_policy
from ci_publish.model.attestation import AttestationPolicy


class AttestationSettings(OptionGroup):
    """Attestations: whether they are made, by whom they must be, and Sigstore's instance."""

    heading = "attestations"

    attestations: Annotated[
        AttestationPolicy,
        BeforeValidator(parse_attestation_policy),
        Option(
            help="Attestations (PEP 740). auto: required with Trusted Publishing on PyPI and TestPyPI, off elsewhere;"
            " true means auto, and false means off.",
            commands=SENDING | {"verify", "attest", "doctor"},
            input_name="attestations",
        ),
    ] = AttestationPolicy.AUTO
    attestations_dir: Annotated[
        Path | None,
        Option(
            help="Also write the attestations to this folder; build provenance (SLSA) in it is used.",
            commands=SENDING | {"doctor"},
            metavar="DIR",
            input_name="attestations-dir",
        ),
    ] = None
    attested_by: Annotated[
        Identities,
        Option(
            help="Also use attestation files beside the distributions that this identity signed, not only the job's"
            " own. Same syntax as verify's option publisher; repeatable.",
            commands=SENDING | {"attest", "doctor"},
            metavar="IDENTITY",
            input_name="attested-by",
        ),
    ] = ()
    publisher: Annotated[
        Identities,
        Option(
            help="Who must have signed: github:OWNER/REPO[:WORKFLOW][#ENVIRONMENT],"
            " gitlab:GROUP/…/PROJECT[:FILE][#ENVIRONMENT] or google:EMAIL; if repeated, any one of them."
            " For files in a CI job, the default is the job's own repository.",
            commands=frozenset({"verify", "settings"}),
            metavar="IDENTITY",
        ),
    ] = ()
    sigstore_trust_config: Annotated[
        Path | None,
        Option(
            help="A Sigstore ClientTrustConfig (JSON): for private instances and tests.",
            commands=SENDING | {"verify", "attest", "doctor"},
            metavar="FILE",
            input_name="sigstore-trust-config",
        ),
    ] = None
    signing_timeout: Annotated[
        float,
        Field(gt=0),
        Option(
            help="How long signing all files may take; never more than half of the time left before the deadline.",
            commands=SENDING | {"attest"},
            metavar="SECONDS",
            input_name="signing-timeout",
        ),
    ] = 300.0
    output_dir: Annotated[
        Path | None,
        Option(
            help="Where to write the attestations.",
            commands=frozenset({"attest"}),
            metavar="DIR",
        ),
    ] = None
