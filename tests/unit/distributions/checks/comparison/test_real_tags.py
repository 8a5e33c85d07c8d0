"""Tags of real repositories: what each says of its own release, and of files of another version.

Read on 2026-11-28 from release pages and package definitions (nixpkgs) that name project, version and tag together.
"""

import pytest

from ci_publish.distributions.checks.comparison.stated import Stated
from ci_publish.distributions.checks.comparison.stated_rules import version_tag_faults

# Repository, project, version, tag.
ALONE = [
    ("SYSTRAN/faster-whisper", "faster-whisper", "1.2.1", "v1.2.1"),
    ("cielong/pyfx", "python-fx", "0.3.2", "v0.3.2"),
    ("juftin/browsr", "browsr", "1.22.1", "v1.22.1"),
    ("nugget/python-anthemav", "anthemav", "1.4.2", "v1.4.2"),
    ("fastapi/fastapi", "fastapi", "0.141.1", "0.141.1"),
    ("ashishb/adb-enhanced", "adb-enhanced", "2.5.24", "2.5.24"),
    ("xonsh/xontrib-debug-tools", "xontrib-debug-tools", "0.0.1", "0.0.1"),
    ("ekalinin/nodeenv", "nodeenv", "1.10.0", "1.10.0"),
    ("aminalaee/uuid-utils", "uuid-utils", "0.15.0a3", "0.15.0a3"),
    ("astropy/asdf-astropy", "asdf-astropy", "0.9.0", "0.9.0"),
    ("anufrievroman/calcure", "calcure", "3.2.1", "3.2.1"),
    ("siemens/kas", "kas", "5.0", "5.0"),
]
NAMED = [
    ("wlav/cppyy", "cppyy", "3.5.0", "cppyy-3.5.0"),
    ("pluggable-transports/obfsproxy", "obfsproxy", "0.2.13", "obfsproxy-0.2.13"),
    ("Azure/azure-cli", "azure-cli", "2.80.0", "azure-cli-2.80.0"),
    ("octopize/saiph", "saiph", "2.0.3", "saiph-v2.0.3"),
    *(
        ("googleapis/google-cloud-python", project, version, f"{project}-v{version}")
        for project, version in (
            ("google-cloud-secret-manager", "1.16.0"),
            ("google-cloud-documentai-toolbox", "0.17.3"),
            ("google-cloud-storage-control", "1.10.0"),
            ("google-cloud-storage", "3.12.0"),
            ("google-cloud-netapp", "0.8.0"),
            ("google-cloud-asset", "4.2.0"),
            ("google-cloud-kms", "3.16.0"),
            ("google-cloud-iam", "2.24.0"),
        )
    ),
    *(
        ("Azure/azure-sdk-for-python", project, version, f"{project}_{version}")
        for project, version in (
            ("azure-identity", "1.13.0"),
            ("azure-mgmt-resource", "25.0.0"),
            ("azure-mgmt-compute", "5.0.0"),
            ("azure-cognitiveservices-language-spellcheck", "2.0.1"),
            ("azure-ai-projects", "2.5.0"),
            ("azure-monitor-query", "2.0.0"),
            ("azure-ai-agentserver-responses", "2.2.0b1"),
            ("azure-ai-contentunderstanding", "1.1.0"),
        )
    ),
    ("SeequentEvo/evo-python-sdk", "evo-files", "1.2.3", "evo-files@v1.2.3"),  # the form that its workflow documents
    ("PicnicSupermarket/diepvries", "diepvries", "0.9.3", "diepvries/0.9.3"),  # the form that it had
    *(
        ("langchain-ai/langchain", project, version, f"{project}=={version}")
        for project, version in (
            ("langchain-core", "1.4.9"),
            ("langchain-core", "1.3.0a2"),
            ("langchain-mistralai", "1.1.2"),
            ("langchain-perplexity", "1.4.0"),
            ("langchain-text-splitters", "0.3.11"),
            ("langchain-huggingface", "1.1.0"),
            ("langchain-xai", "1.0.0"),
        )
    ),
    ("langchain-ai/langchain-mcp-adapters", "langchain-mcp-adapters", "0.3.2", "langchain-mcp-adapters==0.3.2"),
]
NO_VERSION = [
    ("sqlalchemy/sqlalchemy", "sqlalchemy", "2.0.52", "rel_2_0_52"),
    ("sqlalchemy/alembic", "alembic", "1.19.1", "rel_1_19_1"),
    ("sqlalchemy/mako", "mako", "1.3.10", "rel_1_3_10"),
    ("pycurl/pycurl", "pycurl", "7.46.0", "REL_7_46_0"),
    ("jmcnamara/XlsxWriter", "xlsxwriter", "3.2.9", "RELEASE_3.2.9"),
    ("sfepy/sfepy", "sfepy", "2024.4", "release_2024.4"),
    ("python-llfuse/python-llfuse", "llfuse", "1.5.2", "release-1.5.2"),
    ("giampaolo/psutil", "psutil", "7.2.2", "release-7.2.2"),
    ("beanbaginc/kgb", "kgb", "7.2", "release-7.2"),
    ("delfick/python-dict2xml", "dict2xml", "1.7.8", "release-1.7.8"),
    ("dvarrazzo/py-setproctitle", "setproctitle", "1.3.7", "version-1.3.7"),
    ("claudep/translitcodec", "translitcodec", "0.7.0", "version-0.7.0"),
    ("SasoPavlic/nianet", "nianet", "1.1.4", "version_1.1.4"),
    ("lancedb/lancedb", "lancedb", "0.26.0", "python-v0.26.0"),
    ("huggingface/tokenizers", "tokenizers", "0.10.0", "python-v0.10.0"),
    ("confident-ai/deepeval", "deepeval", "4.2.4", "python-v4.2.4"),
    ("apify/impit", "impit", "0.7.1", "py-0.7.1"),
    ("Snazzah/davey", "davey", "0.1.5", "py-0.1.5"),
    ("aws/aws-durable-execution-sdk-python", "aws-durable-execution-sdk-python", "2.0.0", "sdk-v2.0.0"),
    (
        "aws/aws-durable-execution-sdk-python",
        "aws-durable-execution-sdk-python-otel",
        "0.3.0",
        "sdk-v1.7.0,otel-v0.3.0",
    ),
]
TAGS = [
    (*row, rules)
    for rows, rules in ((ALONE, ["version-tag-warning"]), (NAMED, ["version-tag"]), (NO_VERSION, list[str]()))
    for row in rows
]


def said(tag: str, project: str, version: str) -> list[str]:
    return [fault.rule for fault in version_tag_faults({project: {version}}, Stated(tag=tag))]


def test_there_are_sixty_tags_of_real_repositories() -> None:
    assert len({(repository, tag) for repository, _, _, tag, _ in TAGS}) == len(TAGS) >= 60


@pytest.mark.parametrize(("repository", "project", "version", "tag", "rules"), TAGS)
def test_a_real_tag(repository: str, project: str, version: str, tag: str, rules: list[str]) -> None:
    assert said(tag, project, version) == [], repository
    assert said(tag, project, f"{version}.post1") == [], "a post release of it"
    assert said(tag, project, "77.7.7") == rules, "files of another version"
    if rules == ["version-tag"]:
        assert said(tag, "another-project", "77.7.7") == [], "another project of the repository"
