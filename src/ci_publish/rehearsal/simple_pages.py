"""What an index shows of its projects: the Simple API as JSON and HTML, and the JSON API (pure).

Sources: PEPs 503, 592, 629, 658, 691, 700, 714, 740, 792; `warehouse/packaging/utils.py`, `warehouse/api/simple.py` and
`warehouse/legacy/api/json.py` at 6b62157124ab.
"""

import datetime as dt
import html
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from packaging.utils import canonicalize_name
from packaging.version import Version

from ci_publish.rehearsal.index_records import QUARANTINED, RehearsalState, StoredFile, StoredProject, StoredRelease

API_VERSION: Final = "1.4"


def rehearsal_file_url(base_url: str, file: StoredFile) -> str:
    """Return the address of a file."""
    return f"{base_url}/packages/{quote(file.path)}"


def rehearsal_provenance_url(base_url: str, file: StoredFile) -> str:
    """Return the address of a file's provenance."""
    return f"{base_url}/integrity/{file.project}/{quote(file.version)}/{quote(file.filename)}/provenance"


def project_list_json(state: RehearsalState) -> dict[str, Any]:
    """Return the list of projects."""
    visible = sorted(project.normalized for project in state.projects.values() if project.status != QUARANTINED)
    projects = [state.projects[name] for name in visible]
    return {
        "meta": {"api-version": API_VERSION, "_last-serial": state.serial},
        "projects": [{"name": project.name, "_last-serial": project.serial} for project in projects],
    }


def project_listing_json(project: StoredProject, base_url: str) -> dict[str, Any]:
    """Return a project's page."""
    versions = {file.version for file in project.visible_files}
    return {
        "meta": {"api-version": API_VERSION, "_last-serial": project.serial},
        "name": project.normalized,
        "project-status": {"status": project.status},
        "versions": sorted(versions, key=Version),
        "files": [_simple_file_json(project, file, base_url) for file in project.visible_files],
    }


def _simple_file_json(project: StoredProject, file: StoredFile, base_url: str) -> dict[str, Any]:
    release = project.find_release(file.version) or StoredRelease(version=file.version, created=file.uploaded)
    core_metadata = _core_metadata_digest_entry(file)
    return {
        "filename": file.filename,
        "url": rehearsal_file_url(base_url, file),
        "hashes": {"sha256": file.sha256},
        "requires-python": release.first_form_value("requires_python"),
        "size": file.size,
        "upload-time": _upload_time(file),
        "yanked": release.yanked_reason or release.yanked if release.yanked else False,
        "data-dist-info-metadata": core_metadata,
        "core-metadata": core_metadata,
        "provenance": rehearsal_provenance_url(base_url, file) if file.provenance else None,
    }


def project_list_html(state: RehearsalState) -> str:
    """Return the list of projects as HTML."""
    projects = project_list_json(state)["projects"]
    links = "\n".join(
        _simple_html_link(f"/simple/{canonicalize_name(each['name'])}/", each["name"]) for each in projects
    )
    return _simple_html_page("Simple index", links)


def project_listing_html(project: StoredProject, base_url: str) -> str:
    """Return a project's page as HTML."""
    status = f'\n    <meta name="pypi:project-status" content="{html.escape(project.status)}">'
    page = listing_html_of_files(project.normalized, project_listing_json(project, base_url)["files"], status)
    return f"{page}<!--SERIAL {project.serial}-->\n"


def listing_html_of_files(project: str, files: Iterable[Mapping[str, Any]], head: str = "") -> str:
    """Return the page of a project with these files (entries as in the JSON form) as HTML."""
    title = f"Links for {project}"
    links: list[str] = []
    for file in files:
        attributes: dict[str, str] = {}
        if file.get("requires-python"):
            attributes["data-requires-python"] = file["requires-python"]
        if yanked := file.get("yanked"):
            attributes["data-yanked"] = yanked if isinstance(yanked, str) else ""
        if metadata := file.get("core-metadata") or file.get("data-dist-info-metadata"):
            value = _url_fragment_digest(metadata) if isinstance(metadata, Mapping) else "true"
            attributes["data-dist-info-metadata"] = attributes["data-core-metadata"] = value
        if file.get("provenance"):
            attributes["data-provenance"] = file["provenance"]
        digest = _url_fragment_digest(file.get("hashes") or {})
        url = f"{file['url']}#{digest}" if digest else file["url"]
        links.append(f"{_simple_html_link(url, file['filename'], attributes)}<br />")
    return _simple_html_page(title, f"<h1>{title}</h1>\n" + "\n".join(links), head)


def _url_fragment_digest(digests: Mapping[str, str]) -> str:
    """Return one of *digests* as ``name=value``, a SHA-256 before all others."""
    name = "sha256" if "sha256" in digests else next(iter(digests), "")
    return f"{name}={digests[name]}" if name else ""


def _simple_html_link(url: str, text: str, attributes: dict[str, str] | None = None) -> str:
    rest = "".join(f' {name}="{html.escape(value)}"' for name, value in (attributes or {}).items())
    return f'<a href="{html.escape(url)}"{rest}>{html.escape(text)}</a>'


def _simple_html_page(title: str, body: str, head: str = "") -> str:
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n'
        "  <head>\n"
        f'    <meta name="pypi:repository-version" content="{API_VERSION}">{head}\n'
        f"    <title>{html.escape(title)}</title>\n"
        "  </head>\n"
        f"  <body>\n{body}\n  </body>\n"
        "</html>\n"
    )


def json_api_content(
    project: StoredProject, release: StoredRelease, base_url: str, *, all_releases: bool
) -> dict[str, Any]:
    """Return the JSON API's page of a release; with *all_releases* that of the project."""
    data: dict[str, Any] = {
        "info": _json_api_info(project, release, base_url),
        "last_serial": project.serial,
        "ownership": {"organization": None, "roles": []},
        "urls": _json_api_files(project, release, base_url),
        "vulnerabilities": [],
    }
    if all_releases:
        data["releases"] = {item.version: _json_api_files(project, item, base_url) for item in project.ordered_releases}
    return data


def _json_api_info(project: StoredProject, release: StoredRelease, base_url: str) -> dict[str, Any]:
    home = f"{base_url}/project/{project.normalized}/"
    single = {name: release.first_form_value(name) for name in _SINGLE_FIELDS}
    several = {name: list(release.all_form_values(name)) or None for name in _SEVERAL_FIELDS}
    return {
        **single,
        **several,
        "name": project.name,
        "version": release.version,
        "classifiers": sorted(release.all_form_values("classifiers")),
        "description": release.first_form_value("description") or "",
        "license_files": list(release.all_form_values("license_file")) or None,
        "project_urls": dict(project_urls_of_release(release)) or None,
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "package_url": home,
        "project_url": home,
        "release_url": f"{home}{quote(release.version)}/",
        "bugtrack_url": None,
        "docs_url": None,
        "yanked": release.yanked,
        "yanked_reason": release.yanked_reason or None,
    }


_SINGLE_FIELDS: Final = (
    "summary",
    "description_content_type",
    "keywords",
    "license",
    "license_expression",
    "author",
    "author_email",
    "maintainer",
    "maintainer_email",
    "requires_python",
    "platform",
    "home_page",
    "download_url",
)
_SEVERAL_FIELDS: Final = ("dynamic", "requires_dist", "provides_extra")


def project_urls_of_release(release: StoredRelease) -> Iterable[tuple[str, str]]:
    """Yield the labels and addresses of a release's project URLs."""
    for entry in release.all_form_values("project_urls"):
        label, _, url = entry.partition(",")
        yield label.strip(), url.strip()


def _json_api_files(project: StoredProject, release: StoredRelease, base_url: str) -> list[dict[str, Any]]:
    return [
        {
            "filename": file.filename,
            "packagetype": file.packagetype,
            "python_version": file.python_version,
            "has_sig": False,
            "comment_text": file.comment or None,
            "md5_digest": file.md5,
            "digests": {"md5": file.md5, "sha256": file.sha256, "blake2b_256": file.blake2_256},
            "core-metadata": _core_metadata_digest_entry(file),
            "size": file.size,
            "downloads": -1,
            "upload_time": _upload_time(file).partition(".")[0],
            "upload_time_iso_8601": _upload_time(file),
            "url": rehearsal_file_url(base_url, file),
            "requires_python": release.first_form_value("requires_python"),
            "yanked": release.yanked,
            "yanked_reason": release.yanked_reason or None,
        }
        for file in sorted(project.files_of_release(release.version), key=lambda file: file.filename)
    ]


def _core_metadata_digest_entry(file: StoredFile) -> dict[str, str] | bool:
    return {"sha256": file.core_metadata_sha256} if file.core_metadata_sha256 else False


def _upload_time(file: StoredFile) -> str:
    return dt.datetime.fromtimestamp(file.uploaded, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
