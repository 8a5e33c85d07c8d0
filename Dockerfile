# The image of the action (last stage, the one `docker build` takes) and of the GitLab component (`--target gitlab`).
#
# The same inputs give the same image, bit for bit (`podman build --timestamp 0`): everything installed is locked by hash
# in requirements/, and bytecode is compiled so that it depends on nothing but its source.
#
# The base image is named by tag only where `make pin` has not been run: it writes the digest, read from the registry.

FROM docker.io/library/python:3.13-slim AS base
# Bytecode decides how fast a job starts. Checked against nothing (unchecked-hash): the files of an image do not change.
# What no run imports is left out; it still works, from source. By one process (-j 1): what a process has imported shows in
# the bytecode that it writes (references of marshal), and workers are forked at moments that vary.
RUN PYTHONHASHSEED=0 python -IB -X utf8 -m compileall -q -f -j 1 --invalidation-mode unchecked-hash \
    -x "/(site-packages|test|tests|idlelib|turtledemo|tkinter|ensurepip|pydoc_data|_pyrepl|curses|dbm|sqlite3|unittest)/\
|/(venv|wsgiref|xmlrpc|multiprocessing|xml/dom)/|/encodings/(?!__init__|aliases|ascii|cp437|idna|latin_1|punycode|utf_8\.)\
|/(_pydatetime|_pydecimal|_pyio|_osx_support|doctest|imaplib|mailbox|optparse|pdb|pickletools|pydoc|smtplib|turtle)\.py\
|/(bdb|cmd|fileinput|ftplib|modulefinder|plistlib|profile|pstats|statistics|symtable|trace|tracemalloc|wave)\.py\
|/asyncio/(proactor|windows)_|/logging/(config|handlers)\.py|/importlib/_bootstrap" \
    "$(python -IB -X utf8 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"

# For GitLab, whose runner starts a shell in the image: no entry point, and `ci-publish` on the path.
FROM base AS gitlab
# A release adds org.opencontainers.image.version and .revision.
LABEL org.opencontainers.image.title="ci-publish" \
    org.opencontainers.image.description="Publishes Python distributions from CI without stored secrets" \
    org.opencontainers.image.url="https://ci-publish.github.io/ci-publish/" \
    org.opencontainers.image.documentation="https://ci-publish.github.io/ci-publish/" \
    org.opencontainers.image.source="https://github.com/ci-publish/ci-publish" \
    org.opencontainers.image.licenses="Apache-2.0"
# --chmod: the modes of a checkout depend on the umask of whoever made it, and the image must not.
COPY --chmod=0755 requirements/uv.txt requirements/rehearsal.txt /tmp/
COPY --chmod=0755 src/ci_publish /opt/ci-publish/lib/python3.13/site-packages/ci_publish
# pip brings uv, uv brings the rest in a tenth of pip's time, and is gone before the layer is. --no-deps: the locks are
# complete, so there is nothing to resolve; --only-binary: no code of a dependency runs here.
RUN python -IB -X utf8 -m pip --disable-pip-version-check --no-input install --quiet --root-user-action ignore --no-cache-dir \
    --no-compile --no-deps --require-hashes --only-binary :all: --target /tmp/uv --requirement /tmp/uv.txt \
    && python -IB -X utf8 -m venv --without-pip /opt/ci-publish \
    && /tmp/uv/bin/uv pip install --quiet --no-cache --no-config --system-certs --python /opt/ci-publish/bin/python \
    --no-deps --require-hashes --only-binary :all: --requirements /tmp/rehearsal.txt \
    && rm -r /tmp/uv /tmp/uv.txt /tmp/rehearsal.txt \
    && PYTHONHASHSEED=0 python -IB -X utf8 -m compileall -q -f -j 1 --invalidation-mode unchecked-hash \
    -x "/(pygments/(lexers|styles|formatters)|languages|anyio|dns|rich|markdown_it|mdurl|cffi|pycparser)/\
|/(pydantic/(v1|deprecated)|docutils/(utils/math|writers/(latex2e|odf_odt|s5_html|pep_html|xetex)))/" \
    /opt/ci-publish/lib \
    && printf '#!/opt/ci-publish/bin/python -IBuXutf8\nfrom ci_publish.__main__ import entry\n\nentry()\n' > /opt/ci-publish/bin/ci-publish \
    && chmod 0755 /opt/ci-publish/bin/ci-publish
ENV PATH=/opt/ci-publish/bin:$PATH
CMD ["bash"]

# For GitHub: started by the runner as root in a folder that belongs to somebody else. -I: nothing that lies in that
# folder, and no PYTHON* variable of the job, is imported or obeyed; -B: nothing is left behind; -u: lines come as they
# are written. No shell in between: /bin/sh drops the variables of inputs with a hyphen in their name.
FROM gitlab AS action
ENTRYPOINT ["/opt/ci-publish/bin/python", "-IBu", "-X", "utf8", "-m", "ci_publish"]
CMD ["publish"]
