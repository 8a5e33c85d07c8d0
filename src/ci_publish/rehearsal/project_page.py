"""The pages in a browser: a project as on its page on PyPI, before it is published (issue 7, "Preview").

Plain HTML with a stylesheet of its own, readable on a phone and in the dark. No script and nothing from elsewhere: the
policy in every answer forbids it. What comes from a form or a file is escaped by `Markup.format`; the description is
made safe by PyPI's own renderer.
"""

import base64
import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from ci_publish.distributions.checks.relative_links import find_dead_links
from ci_publish.http.urls import split_url
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1
from ci_publish.model.byte_counts import format_size
from ci_publish.rehearsal import descriptions
from ci_publish.rehearsal.index_records import RehearsalState, StoredFile, StoredProject, StoredRelease
from ci_publish.rehearsal.simple_pages import project_urls_of_release, rehearsal_file_url, rehearsal_provenance_url

STYLESHEET: Final = (resources.files(__package__) / "style.css").read_text(encoding="utf-8")
_POLICY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PREDICATES: Final = {PUBLISH_V1: "published by", SLSA_PROVENANCE_V1: "built by"}
_STATUS_WORDS: Final = {
    "archived": "This project is archived: it accepts no more files.",
    "deprecated": "This project is deprecated.",
}


def html_page_response(content: Markup, status: int = 200) -> Response:
    """Return a page with a policy that blocks scripts and everything from other hosts."""
    return Response(str(content), status, content_type="text/html; charset=utf-8", headers=_POLICY)


def project_list_html_page(state: RehearsalState) -> Markup:
    """Return the list of projects."""
    projects = sorted(state.projects.values(), key=lambda project: project.normalized)
    entries = _join_markup(_project_list_entry(project) for project in projects)
    listing = Markup('<ul class="projects">{}</ul>').format(entries) if projects else _EMPTY_HOME
    return _project_html_document("Projects", Markup("<header><h1>Projects</h1></header>{}").format(listing))


def project_html_page(shown: StoredProject, release: StoredRelease | None, base_url: str) -> Markup:
    """Return a project's page for one release; for a project without any, one that says so."""
    if release is None:
        return _project_html_document(
            shown.name, Markup("<header><h1>{}</h1><p>No files yet.</p></header>").format(shown.name)
        )
    files = sorted(shown.files_of_release(release.version), key=lambda file: file.packagetype != "sdist")
    content = Markup(
        '{}{}<section class="panel" id="tab-description"><div class="columns">'
        '<div class="description">{}{}</div><aside>{}<h2>Not shown on PyPI</h2>{}</aside></div></section>'
        '<section class="panel files" id="tab-files"><h2>Download files</h2>{}</section>'
        '<section class="panel" id="tab-history"><h2>Release history</h2><ul>{}</ul></section>'
    )
    return _project_html_document(
        f"{shown.name} {release.version}",
        content.format(
            _project_page_header(shown, release, base_url),
            _TABS,
            *_description_markups(release),
            _definition_list_markup(_detail_rows_shown_on_pypi(release)),
            _definition_list_markup(_detail_rows_not_on_pypi(release)),
            _join_markup(
                Markup("<h3>{}</h3>{}").format(
                    _KINDS[kind], _join_markup(_file_markup(file, base_url) for file in members)
                )
                for kind, members in groupby(files, key=lambda file: file.packagetype == "sdist")
            ),
            _join_markup(_release_list_entry(shown, each, release) for each in shown.ordered_releases),
        ),
    )


_KINDS: Final = {True: "Source distributions", False: "Built distributions"}
# Without a script: the stylesheet shows the panel that the address names, else the description.
_TABS: Final = Markup(
    '<nav class="tabs" aria-label="Panels"><ul><li><a href="#tab-description">Description</a></li>'
    '<li><a href="#tab-files">Download files</a></li><li><a href="#tab-history">Release history</a></li></ul></nav>'
)
_DEAD_SHOWN: Final = 50
_EMPTY_PLACE: Final = Markup('<p>This index has no such page. <a href="/">All projects</a></p>')
_EMPTY_HOME: Final = Markup("<p>Nothing has been published here yet.</p>")
_DOCUMENT: Final = Markup(
    "<!DOCTYPE html>\n"
    '<html lang="en">\n'
    "<head>\n"
    '<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="robots" content="noindex">\n'
    "<title>{title} · rehearsal</title>\n"
    '<link rel="stylesheet" href="/style.css">\n'
    "</head>\n"
    "<body>\n"
    '<p class="banner"><a href="/">Rehearsal</a>: this index is only on your machine. Nothing here is published.</p>\n'
    "<main>\n{content}\n</main>\n"
    "<footer><p>Images are not loaded here; their URLs are shown. PyPI loads images with absolute URLs.</p></footer>\n"
    "</body>\n"
    "</html>\n"
)


def _project_html_document(title: str, content: Markup) -> Markup:
    return _DOCUMENT.format(title=title, content=content)


def _project_list_entry(shown: StoredProject) -> Markup:
    release = shown.latest_release
    return Markup('<li><a href="/project/{}/">{}</a> {}<p>{}</p></li>').format(
        shown.normalized,
        shown.name,
        release.version if release else "",
        (release.first_form_value("summary") if release else None) or "",
    )


def _project_page_header(shown: StoredProject, release: StoredRelease, base_url: str) -> Markup:
    command = f"pip install --no-deps --index-url {base_url}/simple/ {shown.name}=={release.version}"
    warnings = [_STATUS_WORDS[shown.status]] if shown.status in _STATUS_WORDS else []
    if release.yanked:
        warnings.append(f"This release has been yanked. {release.yanked_reason}".strip())
    return Markup(
        '<header><h1>{} <span>{}</span></h1><p>{}</p><div class="install"><pre><code>{}</code></pre>'
        "<p>Its dependencies are not on this index: <code>--no-deps</code> omits them.</p></div>{}</header>"
    ).format(
        shown.name,
        release.version,
        release.first_form_value("summary") or "No summary.",
        command,
        _join_markup(Markup('<p class="warning">{}</p>').format(text) for text in warnings),
    )


def _description_markups(release: StoredRelease) -> tuple[Markup, Markup]:
    """Return a list of what leads nowhere on PyPI, for as long as the release exists, and the description."""
    description = release.first_form_value("description")
    if description is None:
        return Markup(""), Markup("<p>This release has no description.</p>")
    content_type = release.first_form_value("description_content_type")
    shown = Markup(descriptions.description_as_safe_html(description, content_type))  # noqa: S704 - sanitised
    found = list(find_dead_links(description, content_type or ""))[:_DEAD_SHOWN]
    if not found:
        return Markup(""), shown
    entries = _join_markup(
        Markup("<li>line {}: {} <code>{}</code></li>").format(each.line, "image" if each.image else "link", each.target)
        for each in found
    )
    dead_links = Markup(
        '<div class="dead-links"><p>Relative URLs never work on PyPI. Write these in full:</p><ul>{}</ul></div>'
    )
    return dead_links.format(entries), shown


def _definition_list_markup(rows: Iterable[tuple[str, Sequence[str]]]) -> Markup:
    entries = _join_markup(
        Markup("<dt>{}</dt>{}").format(label, _join_markup(Markup("<dd>{}</dd>").format(value) for value in values))
        for label, values in rows
        if values
    )
    return Markup("<dl>{}</dl>").format(entries)


def _detail_rows_shown_on_pypi(release: StoredRelease) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the metadata that PyPI's page shows, in its order (warehouse, project-metadata.html)."""
    links = [
        *(("Homepage", url) for url in release.all_form_values("home_page")),
        *(("Download", url) for url in release.all_form_values("download_url")),
        *project_urls_of_release(release),
    ]
    yield "Project links", [_web_link_markup(url, label) for label, url in links]
    yield "Released", [_release_day(release)]
    texts = release.all_form_values
    yield "Author", texts("author") + texts("author_email")
    yield "Maintainer", texts("maintainer") + texts("maintainer_email")
    yield "License", texts("license_expression") or texts("license")
    yield "Requires Python", texts("requires_python")
    yield "Extras", texts("provides_extra")
    yield "Keywords", texts("keywords")
    yield "Classifiers", list(_grouped_classifiers(release))


def _detail_rows_not_on_pypi(release: StoredRelease) -> Iterator[tuple[str, Sequence[str]]]:
    texts = release.all_form_values
    yield "Requires", texts("requires_dist")
    yield "License files", texts("license_file")
    yield "Imports", texts("import_name") + texts("import_namespace")
    yield "Metadata version", texts("metadata_version")


def _grouped_classifiers(release: StoredRelease) -> Iterator[Markup]:
    """Yield the classifiers by their first part, as PyPI groups them, versions in their own order."""
    parts = sorted(
        (text.partition(" :: ")[::2] for text in release.all_form_values("classifiers")),
        key=lambda each: (each[0], re.sub("[0-9]+", lambda number: number[0].zfill(9), each[1])),
    )
    for group, members in groupby(parts, key=lambda each: each[0]):
        entries = _join_markup(Markup("<li>{}</li>").format(rest or group) for _, rest in members)
        yield Markup("<strong>{}</strong><ul>{}</ul>").format(group, entries)


def not_found_html_page() -> Markup:
    """Return the page for an address at which there is nothing."""
    return _project_html_document(
        "Not found", Markup("<header><h1>Nothing is here</h1></header>{}").format(_EMPTY_PLACE)
    )


def _web_link_markup(url: str, text: str) -> Markup:
    """Link to a page of the web; anything else (javascript:, data:) stays text."""
    if split_url(url).scheme not in {"http", "https"}:
        return Markup("{}: {}").format(text, url)
    return Markup('<a href="{}" rel="nofollow noreferrer">{}</a>').format(url, text)


def _file_markup(file: StoredFile, base_url: str) -> Markup:
    digests = {"SHA-256": file.sha256, "BLAKE2b-256": file.blake2_256, "MD5": file.md5}
    return Markup(
        '<article><h4><a href="{}">{}</a></h4><p>{} · {} · uploaded {} by {}</p><dl>{}</dl>{}</article>'
    ).format(
        rehearsal_file_url(base_url, file),
        file.filename,
        "Source distribution" if file.packagetype == "sdist" else f"Wheel for {file.python_version}",
        format_size(file.size),
        dt.datetime.fromtimestamp(file.uploaded, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        file.uploaded_via or "an unnamed client",
        _join_markup(
            Markup("<dt>{}</dt><dd><code>{}</code></dd>").format(name, digest) for name, digest in digests.items()
        ),
        _file_attestations_markup(file, base_url),
    )


def _file_attestations_markup(file: StoredFile, base_url: str) -> Markup:
    if file.provenance is None:
        return Markup('<p class="unattested">No attestations.</p>')
    bundles = file.provenance["attestation_bundles"]
    entries = _join_markup(
        _attestation_markup(bundle["publisher"], attestation)
        for bundle in bundles
        for attestation in bundle["attestations"]
    )
    return Markup('<h5>Attestations</h5><ul>{}</ul><p><a href="{}">Provenance</a></p>').format(
        entries, rehearsal_provenance_url(base_url, file)
    )


def _attestation_markup(publisher: Mapping[str, Any], attestation: Mapping[str, Any]) -> Markup:
    predicate = json.loads(base64.b64decode(attestation["envelope"]["statement"]))["predicateType"]
    log_index = attestation["verification_material"]["transparency_entries"][0]["logIndex"]
    parts = [str(value) for key, value in publisher.items() if key not in {"kind", "claims"} and value]
    signer = Markup("<strong>{}</strong> ({})").format(" · ".join(parts), publisher["kind"])
    return Markup("<li>{} {}, log index {}<br><code>{}</code></li>").format(
        _PREDICATES.get(predicate, "signed by"), signer, log_index, predicate
    )


def _release_list_entry(shown: StoredProject, release: StoredRelease, current: StoredRelease) -> Markup:
    address = f"/project/{shown.normalized}/{quote(release.version)}/"
    here = Markup(' aria-current="page"') if release.version == current.version else ""
    yanked = " (yanked)" if release.yanked else ""
    return Markup('<li><a href="{}"{}>{}</a>{} {}</li>').format(
        address, here, release.version, yanked, _release_day(release)
    )


def _release_day(release: StoredRelease) -> str:
    return dt.datetime.fromtimestamp(release.created, tz=dt.UTC).strftime("%Y-%m-%d")


def _join_markup(parts: Iterable[str | Markup]) -> Markup:
    return Markup("\n").join(escape(part) for part in parts)
