#!/usr/bin/env bash
# A Kubernetes of one node for the tests, as processes of this machine: etcd, API server, controllers, scheduler, containerd, kubelet.
#   kubernetes.sh build           builds Kubernetes and containerd from their Go modules into the tests' cache, once (about eight minutes)
#   kubernetes.sh up DIR [PORT]   starts one below DIR, an absolute path; it takes ten ports from PORT (default 16440) on
#                                 NODE_MOUNTS="FROM:TO …": every container of the node gets these folders and files, read-only
#   kubernetes.sh kubelet DIR     ends the kubelet and starts it again; pods stay
#   kubernetes.sh down DIR        ends what `up` has started and unmounts what it left
# Then: DIR/kubectl, DIR/ctr; pods have addresses of 10.88.0.0/24 and reach this machine at 10.88.0.1. There are no addresses of
# Services (no kube-proxy) and no names (no DNS). Registries on loopback are pulled from over plain HTTP.
set -euo pipefail

kubernetes=v1.34.4
containerd=v2.4.2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/weighbridge-tests/kubernetes
bin=$cache/$kubernetes-$containerd
programs=(kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl)
gateway=10.88.0.1

say() { echo "kubernetes: $*" >&2; }

build() {
  mkdir -p "$cache"
  exec 9> "$cache/.lock"
  flock 9
  if [[ -e $bin/.built ]]; then return; fi
  mkdir -p "$bin"
  local sources program
  sources=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$sources'" EXIT
  module > "$sources/go.mod"
  export CGO_ENABLED=0 GOFLAGS="-buildvcs=false -mod=mod"
  (cd "$sources"; go mod tidy -e > /dev/null 2>&1) || true
  for program in "${programs[@]}"; do
    say "building $program $kubernetes"
    go build -C "$sources" -trimpath -ldflags="-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes" \
      -o "$bin/$program" "k8s.io/kubernetes/cmd/$program"
  done
  say "building containerd $containerd"
  GOFLAGS=-buildvcs=false GOBIN=$bin go install -trimpath -tags no_btrfs -ldflags='-s -w' \
    "github.com/containerd/containerd/v2/cmd/"{containerd,containerd-shim-runc-v2,ctr}"@$containerd"
  find "$cache" -mindepth 1 -maxdepth 1 -type d ! -path "$bin" -exec rm -rf {} +
  touch "$bin/.built"
}

# Kubernetes' own go.mod replaces its libraries by folders of its repository; these are the same, published.
module() {
  local library program
  printf 'module kubernetes.invalid/tools\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes %s\n\ntool (\n' "$kubernetes"
  for program in "${programs[@]}"; do printf '\tk8s.io/kubernetes/cmd/%s\n' "$program"; done
  printf ')\n\nreplace (\n'
  for library in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
    code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
    dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
    kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin \
    sample-controller; do
    printf '\tk8s.io/%s => k8s.io/%s v0.%s\n' "$library" "$library" "${kubernetes#v1.}"
  done
  printf ')\n'
}

up() {
  local dir=$1 port=${2:-16440}
  if [[ ! -e $bin/.built ]]; then
    say 'not built yet: scripts/kubernetes.sh build'
    exit 1
  fi
  mkdir -p "$dir"/{cni,certs,run,pod-logs}
  cd "$dir"
  write_credentials "$port"
  write_container_spec
  write_containerd_settings
  write_kubelet_settings "$port"
  write_network

  start etcd etcd --data-dir "$dir/etcd" --unsafe-no-fsync \
    --listen-client-urls "http://127.0.0.1:$((port + 1))" --advertise-client-urls "http://127.0.0.1:$((port + 1))" \
    --listen-peer-urls "http://127.0.0.1:$((port + 2))" --initial-advertise-peer-urls "http://127.0.0.1:$((port + 2))" \
    --initial-cluster "default=http://127.0.0.1:$((port + 2))"
  start containerd "$bin/containerd" --config "$dir/containerd.toml"
  start apiserver "$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$((port + 1))" --secure-port "$port" \
    --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --endpoint-reconciler-type none --cert-dir "$dir/certs" \
    --service-cluster-ip-range 10.89.0.0/24 --service-account-issuer https://kubernetes.invalid \
    --service-account-key-file "$dir/accounts.pub" --service-account-signing-key-file "$dir/accounts.key" \
    --authorization-mode RBAC --token-auth-file "$dir/tokens.csv" --feature-gates ImageVolume=true --kubelet-preferred-address-types InternalIP
  wait_for apiserver 60 ./kubectl get --raw /readyz
  start controllers "$bin/kube-controller-manager" --kubeconfig "$dir/kubeconfig" --leader-elect=false \
    --service-account-private-key-file "$dir/accounts.key" --controllers '*,-nodeipam,-route,-service' --secure-port "$((port + 3))"
  start scheduler "$bin/kube-scheduler" --kubeconfig "$dir/kubeconfig" --leader-elect=false --secure-port "$((port + 4))"
  wait_for containerd 30 ./ctr version
  import_sandbox
  start_kubelet
  wait_for kubelet 60 node_is_ready
  wait_for controllers 60 ./kubectl get serviceaccount default
  say "ready: $dir/kubectl"
}

write_credentials() {
  local token
  token=$(openssl rand -hex 16)
  openssl genrsa -out accounts.key 2048 2> /dev/null
  openssl rsa -in accounts.key -pubout -out accounts.pub 2> /dev/null
  (umask 077 && echo "$token,admin,admin,system:masters" > tokens.csv)
  cat > kubeconfig << YAML
apiVersion: v1
kind: Config
clusters: [{ name: test, cluster: { server: "https://127.0.0.1:$1", insecure-skip-tls-verify: true } }]
users: [{ name: admin, user: { token: "$token" } }]
contexts: [{ name: test, context: { cluster: test, user: admin } }]
current-context: test
YAML
  # shellcheck disable=SC2016 # "$@" is theirs
  {
    printf '#!/bin/sh\nexec %q --kubeconfig %q "$@"\n' "$bin/kubectl" "$PWD/kubeconfig" > kubectl
    printf '#!/bin/sh\nexec %q --address %q --namespace k8s.io "$@"\n' "$bin/ctr" "$PWD/run/containerd.sock" > ctr
  }
  chmod +x kubectl ctr
}

write_containerd_settings() {
  cat > containerd.toml << TOML
version = 3
root = "$PWD/containerd"
state = "$PWD/run/containerd"
[grpc]
  address = "$PWD/run/containerd.sock"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  discard_unpacked_layers = false
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "weighbridge.invalid/sandbox:1"
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = "$PWD/registries"
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "$PWD/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      base_runtime_spec = "$PWD/spec.json"
TOML
}

# What every container starts from: containerd's own, and what the caller wants in each, as a driver for a GPU would be.
write_container_spec() {
  "$bin/ctr" oci spec | NODE_MOUNTS=${NODE_MOUNTS:-} python3 -c '
import json, os, sys
spec = json.load(sys.stdin)
for mount in os.environ["NODE_MOUNTS"].split():
    source, target = mount.split(":")
    spec["mounts"].append({"destination": target, "type": "bind", "source": source, "options": ["rbind", "ro"]})
json.dump(spec, sys.stdout)' > spec.json
}

# Control groups as in a container or a machine without systemd: the kubelet makes none of its own.
write_kubelet_settings() {
  cat > kubelet.yaml << YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://$PWD/run/containerd.sock
port: $(($1 + 5))
healthzPort: $(($1 + 6))
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
failCgroupV1: false
authentication: { anonymous: { enabled: true }, webhook: { enabled: false } }
authorization: { mode: AlwaysAllow }
featureGates: { ImageVolume: true }
localStorageCapacityIsolation: false
evictionHard: { memory.available: 100Mi, nodefs.available: 1% }
imageGCHighThresholdPercent: 100
resolvConf: ""
podLogsDir: $PWD/pod-logs
YAML
}

write_network() {
  cat > cni/10-pods.conflist << JSON
{ "cniVersion": "0.4.0", "name": "pods", "plugins": [
  { "type": "bridge", "bridge": "weighbridge0", "isGateway": true, "ipMasq": false,
    "ipam": { "type": "host-local", "dataDir": "$PWD/addresses", "ranges": [[{ "subnet": "10.88.0.0/24", "gateway": "$gateway" }]],
      "routes": [{ "dst": "0.0.0.0/0" }] } },
  { "type": "loopback" }] }
JSON
  # The plugin takes it as it is; so servers can listen there before the first pod.
  ip link add weighbridge0 type bridge 2> /dev/null || true
  ip address replace "$gateway/24" dev weighbridge0
  ip link set weighbridge0 up
}

# What keeps a pod's namespaces open: busybox that sleeps.
import_sandbox() {
  python3 - "$(command -v busybox)" > sandbox.tar << 'PYTHON'
import hashlib, io, json, os, sys, tarfile

def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, (mode, content) in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()

layer = tar({"busybox": (0o755, open(sys.argv[1], "rb").read())})
config = json.dumps({
    "os": "linux",
    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
    "config": {"Entrypoint": ["/busybox", "sleep", "2147483647"]},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
}).encode()
manifest = json.dumps([{"Config": "config.json", "RepoTags": ["weighbridge.invalid/sandbox:1"], "Layers": ["layer.tar"]}]).encode()
files = {"config.json": config, "layer.tar": layer, "manifest.json": manifest}
sys.stdout.buffer.write(tar({name: (0o644, content) for name, content in files.items()}))
PYTHON
  ./ctr images import --local sandbox.tar > /dev/null
}

start() {
  local name=$1
  shift
  PATH="$bin:/usr/sbin:/sbin:$PATH" setsid "$@" >> "run/$name.log" 2>&1 < /dev/null &
  echo $! > "run/$name.pid"
}

start_kubelet() {
  start kubelet "$bin/kubelet" --config "$PWD/kubelet.yaml" --kubeconfig "$PWD/kubeconfig" --root-dir "$PWD/kubelet" \
    --cert-dir "$PWD/certs" --hostname-override node --v 1
}

# A new kubelet finds the pods of the old one.
restart_kubelet() {
  cd "$1"
  stop kubelet
  start_kubelet
}

node_is_ready() { ./kubectl get node node --no-headers | grep -q ' Ready '; }

wait_for() {
  local name=$1 seconds=$2
  shift 2
  for _ in $(seq "$((seconds * 5))"); do
    if "$@" > /dev/null 2>&1; then return; fi
    if ! kill -0 "$(< "run/$name.pid")" 2> /dev/null; then break; fi
    sleep 0.2
  done
  say "$name did not get ready; the end of run/$name.log:"
  tail -n 15 "run/$name.log" >&2
  exit 1
}

stop() {
  local pid
  pid=$(cat "run/$1.pid" 2> /dev/null) || return 0
  rm -f "run/$1.pid"
  kill "$pid" 2> /dev/null || return 0
  for _ in $(seq 50); do
    kill -0 "$pid" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2> /dev/null || true
}

down() {
  local dir=$1 name mount
  cd "$dir"
  stop scheduler
  stop controllers
  stop kubelet
  # Whatever still runs, and the addresses that its network holds.
  for name in $(./ctr tasks ls -q 2> /dev/null); do
    ./ctr tasks delete --force "$name" > /dev/null 2>&1 || true
  done
  for name in apiserver etcd containerd; do stop "$name"; done
  while read -r mount; do umount "$mount" 2> /dev/null || umount -l "$mount" 2> /dev/null || true; done \
    < <(awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | tac)
  ip link delete weighbridge0 2> /dev/null || true
}

case ${1:-} in
  build) build ;;
  up) up "$2" "${3:-}" ;;
  kubelet) restart_kubelet "$2" ;;
  down) down "$2" ;;
  *)
    sed -n '2,9s/^# \?//p' "$0"
    exit 2
    ;;
esac
