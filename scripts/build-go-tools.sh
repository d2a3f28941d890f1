#!/usr/bin/env bash
# Builds the test tools that are Go modules, once, into a cache outside the clone: Trivy takes minutes. Prints the folder.
# Fails where one cannot be built; what is built already is left alone. With --admission, builds policy-tester as well,
# which has as many packages as Trivy and which CI does without.
set -euo pipefail
cd "$(dirname "$0")/.."

trivy=v0.74.0
actionlint=v1.7.12
distribution=v3.1.2
cosign=v3.1.3
oras=v1.3.6
regctl=v0.11.7
bin=${XDG_CACHE_HOME:-$HOME/.cache}/weighbridge-tests/go/bin
mkdir -p "$bin"

# The version of each is a part of its stamp, so that another one is built anew.
build() {
  local name=$1 stamp=$bin/.$1-$2
  shift 2
  if [[ -e $stamp && -x $bin/$name ]]; then return; fi
  echo "build-go-tools: building $name" >&2
  "$@"
  rm -f "$bin/.$name-"*
  touch "$stamp"
}

export GOBIN=$bin GOFLAGS=-buildvcs=false CGO_ENABLED=0
(
  flock 9
  build actionlint "$actionlint" go install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
  # The experiment is the one that Trivy's own releases are built with; the version is what it says of itself.
  build trivy "$trivy" env GOEXPERIMENT=jsonv2 go install -trimpath \
    -ldflags="-s -w -X github.com/aquasecurity/trivy/pkg/version/app.ver=${trivy#v}" \
    "github.com/aquasecurity/trivy/cmd/trivy@$trivy"
  build registry "$distribution" go install -trimpath \
    -ldflags="-s -w -X github.com/distribution/distribution/v3/version.version=$distribution" \
    "github.com/distribution/distribution/v3/cmd/registry@$distribution"
  build cosign "$cosign" go install -trimpath \
    -ldflags="-s -w -X sigs.k8s.io/release-utils/version.gitVersion=$cosign" \
    "github.com/sigstore/cosign/v3/cmd/cosign@$cosign"
  build oras "$oras" go install -trimpath -ldflags='-s -w' "oras.land/oras/cmd/oras@$oras"
  build regctl "$regctl" go install -trimpath -ldflags='-s -w' "github.com/regclient/regclient/cmd/regctl@$regctl"
  # `go install` cannot look up their versions, so tools/model-clients names them.
  clients=$(cksum < tools/model-clients/go.mod | cut -d ' ' -f 1)
  build modctl "$clients" go build -C tools/model-clients -trimpath -ldflags='-s -w' -o "$bin/modctl" github.com/modelpack/modctl
  build kit "$clients" go build -C tools/model-clients -trimpath -ldflags='-s -w' -o "$bin/kit" github.com/kitops-ml/kitops
  # The project's own: anew when their source changes.
  owns=(trivy-test-db pod-security referrers-registry)
  if [[ ${1:-} == --admission ]]; then owns+=(policy-tester); fi
  for own in "${owns[@]}"; do
    build "$own" "$(cat "tools/$own"/{main.go,go.mod,go.sum} | cksum | cut -d ' ' -f 1)" \
      go build -C "tools/$own" -trimpath -o "$bin/$own" .
  done
) 9> "$bin/.lock" >&2
echo "$bin"
