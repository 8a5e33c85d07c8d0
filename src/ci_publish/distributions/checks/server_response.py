"""What PyPI's server would answer to an upload, for an index that simulates PyPI."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_publish.distributions.checks.form_validation import validate_upload_form
from ci_publish.distributions.checks.rendering import render_form_description
from ci_publish.distributions.checks.rules import CheckedFile
from ci_publish.distributions.checks.table import file_faults, first_server_refusal
from ci_publish.distributions.faults import ServerRefusal, invalid_file_refusal
from ci_publish.distributions.file_access import FileRefused, open_regular_file
from ci_publish.distributions.sdist_reading import inspect_sdist
from ci_publish.distributions.wheel_reading import inspect_zip_archive
from ci_publish.model.distribution import Kind

_KINDS: Final = {"sdist": Kind.SDIST, "bdist_wheel": Kind.WHEEL}


def pypi_upload_refusal(path: Path, filename: str, form: Mapping[str, Sequence[str]]) -> ServerRefusal | None:
    """Return PyPI's refusal of the file at *path*, uploaded as *filename* with *form*; None if it is accepted.

    *form* is the whole upload form, each field with all its values. What PyPI's server rejected in August 2026 is
    refused, in its order, also where ``check`` only warns because a newer server may accept it. Identity, digests,
    duplicates, sizes and attestations are the index's own business.
    """
    guess = Kind.WHEEL if filename.endswith(".whl") else Kind.SDIST
    values = {name: tuple(given) for name, given in form.items()}
    checked = CheckedFile(
        filename=filename,
        kind=_KINDS.get(next(iter(form.get("filetype", ())), ""), guess),
        size=0,
        form=values,
        form_faults=validate_upload_form(values),
        rendering=render_form_description(values),
    )
    try:
        with open_regular_file(path) as file:
            checked = replace(checked, size=file.seek(0, 2))
            if filename.endswith(".tar.gz"):
                checked = replace(checked, sdist=inspect_sdist(file))
            else:
                checked = replace(checked, wheel=inspect_zip_archive(file, filename))
    except FileRefused:
        return invalid_file_refusal("File is not a zipfile" if filename.endswith(".whl") else "File is not a tarfile")
    # The faults of the form come first, in the server's order.
    return first_server_refusal([*checked.form_faults, *file_faults(checked)])
