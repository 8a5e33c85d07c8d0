import json
from dataclasses import replace

import pytest

from ci_publish.index.simple_api import (
    HTML_V1,
    JSON_V1,
    MAX_FILES,
    MAX_JSON_PARTS,
    Unreadable,
    is_simple_api_root,
    json_api_url,
    listing_url,
    lists_version,
    merge_listings,
    parse_json_api_release,
    parse_listing,
    provenance_url,
)
from ci_publish.model.filename import version_in_filename
from ci_publish.model.index import ProjectListing, PublishedFile

URL = "https://index.example/simple/demo/"
JSON = "application/vnd.pypi.simple.v1+json"
SHA = "a" * 64


def read(body: object, content_type: str = JSON, url: str = URL, *, public: bool = False) -> ProjectListing:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    parsed = parse_listing("demo", raw, content_type, url, public=public)
    assert isinstance(parsed, ProjectListing)
    return parsed


def refused(body: object, content_type: str = JSON) -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    parsed = parse_listing("demo", raw, content_type, URL, public=True)
    assert isinstance(parsed, Unreadable)
    return parsed.reason


def test_addresses() -> None:
    assert listing_url("https://h/simple/", "demo") == "https://h/simple/demo/"
    assert json_api_url("https://h/pypi/", "demo", "1.0") == "https://h/pypi/demo/1.0/json"
    assert provenance_url("https://h/integrity/", "demo", "1.0", "f") == "https://h/integrity/demo/1.0/f/provenance"


# core metadata and Requires-Python


@pytest.mark.parametrize(
    ("entry", "requires_python", "core_metadata"),
    [
        ({}, None, False),
        ({"requires-python": None, "core-metadata": False}, "", False),
        ({"requires-python": ">=3.9", "core-metadata": {"sha256": SHA.upper()}}, ">=3.9", SHA),
        ({"requires_python": ">=3.9", "data-dist-info-metadata": True}, ">=3.9", True),
        ({"requires-python": 3, "core-metadata": {}}, "", True),
        ({"requires-python": "x" * 3000, "core-metadata": {"sha256": "short"}}, "", True),
        ({"core-metadata": "yes"}, None, False),
    ],
)
def test_what_is_said_of_a_file_s_metadata(
    entry: dict[str, object], requires_python: str | None, core_metadata: str | bool
) -> None:
    found = read({"meta": {}, "files": [{"filename": "d-1.tar.gz", "url": "/d-1.tar.gz", **entry}]})
    file = found.files["d-1.tar.gz"]
    assert (file.requires_python, file.core_metadata) == (requires_python, core_metadata)


@pytest.mark.parametrize(
    ("attribute", "core_metadata"),
    [
        ("", False),
        ("data-core-metadata", False),
        ('data-core-metadata="true"', True),
        ('data-core-metadata="false"', False),
        (f'data-dist-info-metadata="sha256={SHA}"', SHA),
        ('data-dist-info-metadata="md5=x"', True),
    ],
)
def test_the_attribute_of_core_metadata(attribute: str, core_metadata: str | bool) -> None:
    page = f'<h1>Links for d</h1><a href="d-1.tar.gz" {attribute}>d</a>'
    assert read(page.encode(), "text/html").files["d-1.tar.gz"].core_metadata == core_metadata


def test_what_only_one_of_two_listings_says_is_kept() -> None:
    one = PublishedFile(filename="d-1.tar.gz", url="", sha256=SHA, core_metadata=SHA, provenance="https://p/")
    other = replace(one, core_metadata=False, provenance=None, size=5)
    both = merge_listings(
        ProjectListing(project="d", files={"d": one}), ProjectListing(project="d", files={"d": other})
    )
    assert both.files["d"] == replace(other, core_metadata=SHA, provenance="https://p/")


# JSON


def test_everything_that_pypi_says() -> None:
    entry = {
        "filename": "demo-1.0.tar.gz",
        "url": "../../files/demo-1.0.tar.gz",
        "hashes": {"sha256": SHA.upper(), "md5": "x"},
        "size": 12,
        "upload-time": "2026-11-20T00:00:00Z",
        "yanked": "broken",
        "provenance": "https://index.example/integrity/x",
    }
    body = {
        "meta": {"api-version": "1.4", "_last-serial": 42},
        "name": "demo",
        "project-status": {"status": "archived"},
        "versions": ["1.0", None, 1],
        "files": [entry],
    }
    file = PublishedFile(
        filename="demo-1.0.tar.gz",
        url="https://index.example/files/demo-1.0.tar.gz",
        sha256=SHA,
        size=12,
        upload_time="2026-11-20T00:00:00Z",
        yanked="broken",
        provenance="https://index.example/integrity/x",
    )
    assert read(body) == ProjectListing(
        project="demo", files={"demo-1.0.tar.gz": file}, versions=("1.0",), status="archived", serial=42
    )


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/html", "", "application/x"])
def test_json_is_known_by_its_look_too(content_type: str) -> None:
    assert read({"files": []}, content_type) == ProjectListing(project="demo")


@pytest.mark.parametrize(
    ("entry", "file"),
    [
        ({"filename": "f"}, PublishedFile(filename="f", url=URL, sha256=None)),
        ({"filename": "f", "hashes": {"sha256": "short"}}, PublishedFile(filename="f", url=URL, sha256=None)),
        ({"filename": "f", "hashes": [SHA]}, PublishedFile(filename="f", url=URL, sha256=None)),
        ({"filename": "f", "size": -1, "yanked": True}, PublishedFile(filename="f", url=URL, sha256=None, yanked=True)),
        ({"filename": "f", "size": True, "yanked": ["x"]}, PublishedFile(filename="f", url=URL, sha256=None)),
        ({"filename": "f", "size": 2**63, "yanked": ""}, PublishedFile(filename="f", url=URL, sha256=None)),
        (
            {"filename": "f", "url": "http://[", "provenance": 1},
            PublishedFile(filename="f", url="http://[", sha256=None),
        ),
    ],
)
def test_hostile_entries(entry: object, file: PublishedFile) -> None:
    assert read({"files": [entry]}).files == {"f": file}


@pytest.mark.parametrize(
    "entry", [None, 1, [], "f", {}, {"filename": None}, {"filename": ""}, {"filename": "x" * 3000}]
)
def test_entries_that_name_no_file_are_left_out(entry: object) -> None:
    assert read({"files": [entry]}).files == {}


def test_of_two_entries_for_one_name_the_first_counts() -> None:
    entries = [{"filename": "f", "size": 1}, {"filename": "f", "size": 2}]
    assert read({"files": entries}).files["f"].size == 1


@pytest.mark.parametrize(
    "more", [{"meta": []}, {"project-status": "x"}, {"versions": {}}, {"meta": {"_last-serial": "1"}}]
)
def test_hostile_shapes_around_the_files(more: dict[str, object]) -> None:
    assert read({"files": [], **more}) == ProjectListing(project="demo")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "is not valid JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not valid JSON"),
        (b'{"a":' * 100_000, "is JSON nested too deeply"),
        (b"\xff{", "is not valid JSON"),
        ([], "is not a JSON object"),
        (None, "is not a JSON object"),
        ({}, "has no list of files"),
        ({"files": {}}, "has no list of files"),
        ({"files": [], "meta": {"api-version": "2.0"}}, "speaks version 2.0"),
    ],
)
def test_what_is_no_listing(body: object, reason: str) -> None:
    assert refused(body).startswith(reason)


# HTML


def test_html() -> None:
    page = f"""<!DOCTYPE html><html><head>
      <meta name="pypi:repository-version" content="1.3"><meta name="pypi:project-status" content="quarantined">
      <base href="/files/"></head><body>
      <a href="demo-1.0.tar.gz#sha256={SHA}" data-requires-python="&gt;=3.8">demo-1.0.tar.gz</a>
      <a href="a%20b-1.0-py3-none-any.whl#md5=x&egg=y" data-yanked data-provenance="https://p/">x</a>
      <a href="c-1.0.zip#sha256={SHA}&amp;x=y" data-yanked="why" href="ignored">c</a>
      <a name="nothing">x</a></body></html>"""
    found = read(page.encode(), "text/html")
    assert found.status == "quarantined"
    assert found.files == {
        "demo-1.0.tar.gz": PublishedFile(
            filename="demo-1.0.tar.gz",
            url="https://index.example/files/demo-1.0.tar.gz",
            sha256=SHA,
            requires_python=">=3.8",
        ),
        "a b-1.0-py3-none-any.whl": PublishedFile(
            filename="a b-1.0-py3-none-any.whl",
            url="https://index.example/files/a%20b-1.0-py3-none-any.whl",
            sha256=None,
            yanked=True,
            provenance="https://p/",
        ),
        "c-1.0.zip": PublishedFile(
            filename="c-1.0.zip", url="https://index.example/files/c-1.0.zip", sha256=SHA, yanked="why"
        ),
    }


def test_an_empty_page_of_an_index_is_a_listing() -> None:
    assert read(b"<html><body><h1>Links for demo</h1></body></html>", "text/html") == ProjectListing(project="demo")
    known = b'<html><head><meta name="pypi:repository-version" content="1.0"></head><a href="/">home</a></html>'
    assert read(known, "text/html").files == {}


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<html><a href='/login'>Log in</a></html>", "is a web page without"),
        (b"<html><body>Welcome</body></html>", "is not a page"),
        (b"Welcome", "is not a page"),
        (b"", "is not a page"),
        (b"\xff\xfe\x00", "is not a page"),
    ],
)
def test_pages_that_are_no_listing(page: bytes, reason: str) -> None:
    assert refused(page, "text/html").startswith(reason)


@pytest.mark.parametrize(
    "page",
    [b"<![if", b"<!DOCTYPE [<!ELEMENT", b"<![CDATA[", b"<!--", b"<a href=" * 1000, b"&#x110000;", b"<![bad[x]]>"],
)
def test_broken_html_is_no_crash(page: bytes) -> None:
    assert isinstance(
        parse_listing("demo", b"<html>" + page, "text/html", URL, public=True), ProjectListing | Unreadable
    )


# whose files they are


@pytest.mark.parametrize(
    ("url", "files", "inherited"),
    [
        (URL, ["https://files.pythonhosted.org/a/demo-1.0.tar.gz"], True),
        (URL, ["https://cdn.example/demo-1.0.tar.gz"], False),
        (URL, ["https://cdn.example/demo-1.0.tar.gz", "/own.tar.gz"], True),
        (URL, ["/files/demo-1.0.tar.gz"], False),
        ("https://h/me/dev/+simple/demo/", ["../../+f/1/demo-1.0.tar.gz"], False),
        ("https://h/me/dev/+simple/demo/", ["/root/pypi/+f/1/demo-1.0.tar.gz"], True),
        ("https://h/me/dev/+simple/demo/", ["/elsewhere/demo-1.0.tar.gz"], False),
    ],
)
def test_inherited_files_are_told_apart(url: str, files: list[str], *, inherited: bool) -> None:
    entries = [{"filename": f"{number}", "url": file} for number, file in enumerate(files)]
    assert read({"files": entries}, url=url).files["0"].inherited is inherited
    assert not read({"files": entries}, url=url, public=True).files["0"].inherited


# the JSON API


def test_the_page_of_a_release() -> None:
    url = "https://files.pythonhosted.org/demo-1.0.tar.gz"
    entry = {
        "filename": "demo-1.0.tar.gz",
        "url": url,
        "digests": {"sha256": SHA},
        "size": 5,
        "upload_time_iso_8601": "2026-11-20T00:00:00Z",
        "yanked": False,
        "yanked_reason": None,
    }
    body = json.dumps({"info": {"version": "1.0"}, "last_serial": 7, "urls": [entry]}).encode()
    parsed = parse_json_api_release("demo", body, "https://pypi.org/pypi/demo/1.0/json")
    assert isinstance(parsed, ProjectListing)
    assert parsed.serial == 7
    assert parsed.versions == ("1.0",)
    assert parsed.files["demo-1.0.tar.gz"] == PublishedFile(
        filename="demo-1.0.tar.gz",
        url=url,
        sha256=SHA,
        size=5,
        upload_time="2026-11-20T00:00:00Z",
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"urls": null}'])
def test_what_is_no_page_of_a_release(body: bytes) -> None:
    assert isinstance(parse_json_api_release("demo", body, URL), Unreadable)


@pytest.mark.parametrize("body", [b'{"urls": [1]}', b'{"urls": [], "info": 1}', b'{"urls": [{"digests": 1}]}'])
def test_hostile_pages_of_a_release(body: bytes) -> None:
    assert parse_json_api_release("demo", body, URL) == ProjectListing(project="demo")


def test_both_looks_together() -> None:
    first = ProjectListing(
        project="demo",
        files={
            "a": PublishedFile(filename="a", url="u", sha256="1", provenance="p"),
            "b": PublishedFile(filename="b", url="u", sha256="1"),
        },
        versions=("1.0",),
        status="archived",
        serial=3,
    )
    second = ProjectListing(
        project="demo",
        files={
            "a": PublishedFile(filename="a", url="u", sha256="2"),
            "c": PublishedFile(filename="c", url="u", sha256="2"),
        },
        versions=("1.0", "2.0"),
        serial=9,
    )
    assert merge_listings(first, second) == ProjectListing(
        project="demo",
        files={
            "a": PublishedFile(filename="a", url="u", sha256="2", provenance="p"),
            "b": PublishedFile(filename="b", url="u", sha256="1"),
            "c": PublishedFile(filename="c", url="u", sha256="2"),
        },
        versions=("1.0", "2.0"),
        status="archived",
        serial=9,
    )
    assert merge_listings(None, second) is second
    assert merge_listings(ProjectListing(project="demo"), ProjectListing(project="demo")).serial is None


# versions of files


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("demo-1.0-py3-none-any.whl", "1.0"),
        ("demo-1.0.post1-1-py3-none-any.whl", "1.0.post1"),
        ("demo-1.0.tar.gz", "1.0"),
        ("demo-v1.0.zip", "1.0"),
        ("demo.whl", None),
        ("demo-x.tar.gz", None),
        ("login", None),
    ],
)
def test_version_of(filename: str, version: str | None) -> None:
    assert version_in_filename(filename) == version


def test_lists_version() -> None:
    listing = ProjectListing(
        project="demo", files={"demo-1.0.tar.gz": PublishedFile(filename="demo-1.0.tar.gz", url="u", sha256=None)}
    )
    assert lists_version(listing, "1.0")
    assert not lists_version(listing, "1.0.1")


ROOT_URL = "https://index.example/simple/"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"meta": {"api-version": "1.1"}, "projects": [', JSON_V1),
        (b'{"meta": {"api-version": "1.0"}, "projects": []}', "application/json; charset=utf-8"),
        (b"", HTML_V1),
        (b'<html><head><meta name="pypi:repository-version" content="1.0"></head>', "text/html"),
        (b"<html><head><title>Simple Index</title></head><body></body></html>", "text/html"),
        (b"<html><title>root/dev: simple list (including inherited indices)</title>", "text/html"),
        (b'<a href="demo/">demo</a><a href="/simple/other/">other</a>', "text/html"),
    ],
)
def test_the_root_of_a_simple_api(body: bytes, content_type: str) -> None:
    assert is_simple_api_root(body, content_type, ROOT_URL)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"error": "not found"}', "application/json"),
        (b'{"meta": {"page": 1}}', "application/json"),
        (b"[]", JSON_V1),
        (b"", "text/html"),
        (b"<html><body>It works!</body></html>", "text/html"),
        (b'<a href="demo/">demo</a><a href="https://elsewhere.example/">other</a>', "text/html"),
        (b'<a href="/simple/">up</a>', "text/html"),
        (b'<a href="a/b/">deeper</a>', "text/html"),
        (b'<a href="/">home</a>', "text/html"),
    ],
)
def test_pages_that_are_not_the_root_of_a_simple_api(body: bytes, content_type: str) -> None:
    assert not is_simple_api_root(body, content_type, ROOT_URL)


def test_an_md5_is_read_where_it_is_one() -> None:
    page = f'<a href="demo-1.0.tar.gz#md5={"A" * 32}">x</a><a href="demo-2.0.tar.gz#md5=no">y</a>'.encode()
    assert [file.md5 for file in read(page, "text/html").files.values()] == ["a" * 32, None]


def test_json_with_more_parts_than_any_listing_has_is_not_read() -> None:
    body = b'{"files": ' + b"[" * MAX_JSON_PARTS
    assert parse_listing("demo", body, JSON_V1, "https://index.example/simple/demo/", public=True) == Unreadable(
        "is JSON with more values than a file list can have"
    )


@pytest.mark.parametrize("content_type", [JSON_V1, HTML_V1])
def test_files_beyond_the_cap_are_not_read(content_type: str) -> None:
    names = [f"demo-{number}.tar.gz" for number in range(MAX_FILES + 1)]
    as_json = json.dumps({"files": [{"filename": name, "url": name} for name in names]})
    as_html = "".join(f"<a href={name}>{name}</a>" for name in names)
    listing = read((as_json if content_type == JSON_V1 else as_html).encode(), content_type)
    assert list(listing.files) == names[:-1]
