#!/usr/bin/env bash
# The published package works where only its own dependencies are: packs it, installs it into an empty folder, runs the demo.
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
