#!/usr/bin/env bash
# Installs zizmor, which looks for weaknesses in GitHub workflows, into the cache of the tests.
set -euo pipefail

version=1.32.0
folder=${XDG_CACHE_HOME:-$HOME/.cache}/weighbridge-tests/zizmor
if [[ -x $folder/bin/zizmor && $("$folder/bin/zizmor" --version) == "zizmor $version" ]]; then exit; fi
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check "zizmor==$version"
