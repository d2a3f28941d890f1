#!/usr/bin/env bash
# The published package works where only its own dependencies are: packs it, installs it into an empty folder, runs the demo
# and the slim image's bootstrap, and finds no tests in it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

file=$(npm pack --silent --pack-destination "$folder")
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --omit=dev "./$file"
PATH="$root/node_modules/node/bin:$PATH"
npx --no-install weighbridge --version
npx --no-install weighbridge demo | tail -n 2

package=node_modules/weighbridge
python3 "$package/dist/runtime/bootstrap/bootstrap" echo 'the bootstrap starts'
tests=$(find "$package/dist" -name 'test_*' -o -name '*.test.*' -o -name '__pycache__')
if [[ -n $tests ]]; then
  printf 'the package has tests or their traces in it:\n%s\n' "$tests" >&2
  exit 1
fi
