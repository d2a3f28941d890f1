#!/usr/bin/env bash
# Installs what the tests with real containers, registries and scanners use, where it may: Debian packages, and tools that
# are Go modules (build-go-tools.sh).
# Where it may not, it says what is missing and exits 0, or 1 with WEIGHBRIDGE_REQUIRE_REAL=1.
set -euo pipefail

# command:package
wanted=(
  podman:podman runc:runc skopeo:skopeo buildah:buildah umoci:umoci mmdebstrap:mmdebstrap
  docker-registry:docker-registry nginx:nginx-light python3:python3 flock:util-linux perl:perl-base
  tmux:tmux chromium:chromium shellcheck:shellcheck rsync:rsync
)

missing_packages() {
  local entry
  for entry in "${wanted[@]}"; do
    command -v "${entry%%:*}" > /dev/null || echo "${entry##*:}"
  done
  python3 -m pip --version > /dev/null 2>&1 || echo python3-pip
}

say() { echo "install-test-tools: $*"; }

# Building Trivy takes minutes once, so the everyday tests do without it unless somebody has asked for it.
wants_go_tools() { [[ ${WEIGHBRIDGE_REQUIRE_REAL:-} == 1 || ${WEIGHBRIDGE_LONG:-} == 1 ]]; }

if ! wants_go_tools; then
  say 'Trivy, actionlint and distribution 3 are used where scripts/build-go-tools.sh has built them (minutes, once)'
elif ! command -v go > /dev/null; then
  say 'no Go here: Trivy, actionlint and distribution 3 are not built; the tests that need them are skipped'
  if [[ ${WEIGHBRIDGE_REQUIRE_REAL:-} == 1 ]]; then exit 1; fi
elif ! nice "$(dirname "$0")/build-go-tools.sh" > /dev/null; then
  say 'the Go tools could not be built; the tests that need them are skipped'
  if [[ ${WEIGHBRIDGE_REQUIRE_REAL:-} == 1 ]]; then exit 1; fi
fi

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
