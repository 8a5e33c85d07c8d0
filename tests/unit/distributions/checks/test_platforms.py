"""What to do about a platform tag."""

from pathlib import Path

import pytest

from ci_publish.distributions.checks.platforms import may_become_accepted_platform
from tests.corpus.build import Wheel
from tests.unit.distributions.checked_folders import advice


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("linux_x86_64", "auditwheel"),
        ("manylinux_2_17_amd64", "manylinux_2_28_x86_64"),
        ("win64", "win_amd64"),
        ("darwin_arm64", "macosx_11_0_arm64"),
        ("any (1)", "Restore the file's name"),
        ("none", "`any`"),
        ("pyodide_2024_0_wasm32", "pyemscripten"),
    ],
)
def test_advice_about_a_platform_tag_fits_the_tag(tmp_path: Path, tag: str, words: str) -> None:
    found = advice(tmp_path, "platform-tag", Wheel(f"demo_pkg-1.0-cp313-cp313-{tag}.whl"))
    assert words in found
    assert ("auditwheel" in found) is ("linux" in tag)


@pytest.mark.parametrize(
    ("platform", "possible"),
    [
        ("macosx_27_0_arm64", True),
        ("macosx_027_0_arm64", False),
        ("macosx_27_1_arm64", False),
        ("macosx_100_0_arm64", False),
        ("manylinux_2_99_x86_64", True),
        ("manylinux_02_17_x86_64", False),
        ("freebsd_14_amd64", True),
        ("linux_x86_64", False),
    ],
)
def test_what_pypi_may_accept_in_the_future(platform: str, possible: bool) -> None:
    assert may_become_accepted_platform(platform) is possible
