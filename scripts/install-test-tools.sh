#!/usr/bin/env bash
# Installs what the tests with real containers, registries and scanners use, if it may: Debian packages and, for the long form,
# tools that are Go modules (build-go-tools.sh), a Kubernetes (kubernetes.sh), vLLM for processors (install-vllm.sh) and zizmor
# (install-zizmor.sh).
# If it may not, it says what is missing and exits 0, or 1 with WEIGHBRIDGE_REQUIRE_REAL=1.
set -euo pipefail
scripts=$(dirname "$0")
PATH="$PATH:/usr/sbin:/sbin"

# command:package
wanted=(
  podman:podman runc:runc skopeo:skopeo buildah:buildah umoci:umoci mmdebstrap:mmdebstrap
  docker-registry:docker-registry nginx:nginx-light python3:python3 flock:util-linux perl:perl-base
  tmux:tmux chromium:chromium shellcheck:shellcheck rsync:rsync
)
wanted_for_long=(etcd:etcd-server busybox:busybox-static iptables:iptables ip:iproute2 openssl:openssl)

say() { echo "install-test-tools: $*"; }

give_up_if_required() {
  if [[ ${WEIGHBRIDGE_REQUIRE_REAL:-} == 1 ]]; then exit 1; fi
}

# What takes minutes once; the everyday tests do without it unless somebody has asked for it.
is_long() { [[ ${WEIGHBRIDGE_REQUIRE_REAL:-} == 1 || ${WEIGHBRIDGE_LONG:-} == 1 ]]; }

missing_packages() {
  local entry entries=("${wanted[@]}")
  if is_long; then entries+=("${wanted_for_long[@]}"); fi
  for entry in "${entries[@]}"; do
    command -v "${entry%%:*}" > /dev/null || echo "${entry##*:}"
  done
  python3 -m pip --version > /dev/null 2>&1 || echo python3-pip
  if is_long && [[ ! -x /usr/lib/cni/bridge ]]; then echo containernetworking-plugins; fi
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then
    say 'everything is here'
    return
  fi
  if ((EUID == 0)) && command -v apt-get > /dev/null; then
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -q && apt-get install -qy --no-install-recommends "${missing[@]}"; }; then say 'apt-get failed'; fi
  else
    say 'not root on a machine with apt-get: nothing is installed'
  fi
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} > 0)); then
    say "missing: ${missing[*]}; the tests that need them are skipped"
    give_up_if_required
  fi
}

install_long() {
  if ! is_long; then
    say 'Trivy, actionlint, distribution 3, Kubernetes and vLLM are used if they have been built (minutes, once): WEIGHBRIDGE_LONG=1'
    return
  fi
  # Most of this waits for downloads, while Go needs the processors.
  nice "$scripts/install-vllm.sh" > /dev/null &
  local vllm=$!
  if ! command -v go > /dev/null; then
    say 'no Go here: Trivy, actionlint, distribution 3 and Kubernetes are not built; the tests that need them are skipped'
    give_up_if_required
  else
    nice "$scripts/build-go-tools.sh" > /dev/null || failed 'the Go tools could not be built'
    nice "$scripts/kubernetes.sh" build || failed 'Kubernetes could not be built'
  fi
  "$scripts/install-zizmor.sh" || failed 'zizmor could not be installed'
  wait "$vllm" || failed 'vLLM could not be installed'
}

failed() {
  say "$1; the tests that need it are skipped"
  give_up_if_required
}

install_packages
install_long
