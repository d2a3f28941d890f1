#!/usr/bin/env bash
# Installs the Debian packages that the tests with real containers and registries use, where it may.
# Where it may not, it says what is missing and exits 0, or 1 with WEIGHBRIDGE_REQUIRE_REAL=1.
set -euo pipefail

# command:package
wanted=(
  podman:podman runc:runc skopeo:skopeo buildah:buildah umoci:umoci mmdebstrap:mmdebstrap
  docker-registry:docker-registry python3:python3 flock:util-linux perl:perl-base
  tmux:tmux chromium:chromium
)

missing_packages() {
  local entry
  for entry in "${wanted[@]}"; do
    command -v "${entry%%:*}" > /dev/null || echo "${entry##*:}"
  done
  python3 -m pip --version > /dev/null 2>&1 || echo python3-pip
}

say() { echo "install-test-tools: $*"; }

PATH="$PATH:/usr/sbin:/sbin"
mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then
  say 'everything is here'
  exit 0
fi

if ((EUID == 0)) && command -v apt-get > /dev/null; then
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q && apt-get install -qy --no-install-recommends "${missing[@]}" || say 'apt-get failed'
else
  say 'not root on a machine with apt-get: nothing is installed'
fi

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} > 0)); then
  say "missing: ${missing[*]}; the tests that need them are skipped"
  if [[ ${WEIGHBRIDGE_REQUIRE_REAL:-} == 1 ]]; then exit 1; fi
fi
