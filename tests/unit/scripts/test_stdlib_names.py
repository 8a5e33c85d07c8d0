from ci_publish.model.stdlib_names import STDLIB_NAMES
from scripts.stdlib_names import TARGET, module_text, prohibited


def test_dotted_names_and_the_packages_they_lie_in_are_names_of_projects() -> None:
    assert prohibited(["xml.etree.ElementTree", "_thread"]) == {"xml", "xml-etree", "xml-etree-elementtree", "thread"}


def test_the_module_is_what_the_script_writes() -> None:
    text = TARGET.read_text(encoding="utf-8")
    source_version = text.partition("stdlib-list ")[2].partition(":")[0]
    assert text == module_text(STDLIB_NAMES, source_version)


def test_modules_of_every_python_are_there_whatever_runs_this() -> None:
    assert {"smtplib", "imp", "distutils", "urllib2", "xml-etree", "tomllib"} <= STDLIB_NAMES
    assert "requests" not in STDLIB_NAMES
