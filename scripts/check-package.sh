#!/usr/bin/env bash
# The published package works where only its own dependencies are: packs it, installs it into an empty folder, starts it on
# old and new versions of Node.js, runs the demo and the slim image's bootstrap, and finds no tests in it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/weighbridge-tests/node
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  printf 'check-package: %s\n' "$1" >&2
  exit 1
}

# Other versions of Node.js come from the package that pins the project's own.
node_of() {
  local place=$cache/$1
  if [[ ! -x $place/node_modules/node/bin/node ]]; then
    mkdir -p "$place"
    npm install --silent --no-audit --no-fund --prefix "$place" "node@$1" > /dev/null
  fi
  echo "$place/node_modules/node/bin/node"
}

file=$(npm pack --silent --pack-destination "$folder")
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --omit=dev "./$file"
package=$folder/node_modules/weighbridge
command=$folder/node_modules/.bin/weighbridge
version=$(node -p "require('$package/package.json').version")

# Each with and without colors forced, which once made the launcher misread a version.
for major in 20 22; do
  node=$(node_of "$major")
  for color in '' 1; do
    status=0
    said=$(FORCE_COLOR=$color "$node" "$command" --version 2>&1) || status=$?
    [[ $status == 2 ]] || fail "on Node.js $major the status is $status, not 2"
    [[ $said == *'Node.js 24'*'or later is needed'*'Install it from'* ]] || fail "on Node.js $major it says: $said"
  done
done
for major in 24 26; do
  node=$(node_of "$major")
  for color in '' 1; do
    said=$(FORCE_COLOR=$color NODE_OPTIONS=--no-deprecation "$node" "$command" --version)
    [[ $said == "$version" ]] || fail "on Node.js $major --version says: $said"
  done
  PATH="$(dirname "$node"):$PATH" FORCE_COLOR=1 npx --no-install weighbridge --version > /dev/null
  "$node" "$command" demo | tail -n 2
done

# The examples, typed strictly and run, with the Hub and the registry of the package's own testkit.
cp "$root"/examples/*.ts .
printf '{"compilerOptions": {"strict": true, "target": "es2024", "lib": ["es2024", "esnext.disposable"], "module": "nodenext", "skipLibCheck": false, "noEmit": true, "types": ["node"], "typeRoots": ["%s/node_modules/@types"]}, "include": ["*.ts"]}' "$root" > tsconfig.json
npm pkg set type=module > /dev/null
"$root/node_modules/.bin/tsc" -p . || fail 'the examples do not pass tsc --strict'
"$(node_of 24)" --test testkit.ts > test.log || fail "the example of a test: $(cat test.log)"
"$(node_of 24)" --input-type=module > example.log <<'JS' || fail "the example: $(cat example.log)"
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { buildBaseImage, sampleModelFiles, startHub, startRegistry } from 'weighbridge/testkit';
const hub = await startHub();
await hub.addModel({ id: 'acme/sample', files: await sampleModelFiles() });
const registry = await startRegistry();
registry.putImage('vllm/vllm-openai', 'v0.6.0', buildBaseImage());
writeFileSync('models.yaml', `registries: {lab: ${registry.host}/m}
defaults: {base_image: "${registry.host}/vllm/vllm-openai:v0.6.0"}
models: [{id: acme/sample, short: sample}]
`);
const child = spawn(process.execPath, ['publish-to-layout.ts'], {
  env: { ...process.env, HF_ENDPOINT: hub.url, WEIGHBRIDGE_LAYER_INDEX: '' },
  stdio: 'inherit',
});
process.exitCode = await new Promise(resolve => child.on('close', resolve));
await Promise.all([hub.close(), registry.close()]);
JS
cat example.log
grep -q '^sample slim published sha256:' example.log || fail 'the example published nothing'

python3 "$package/dist/runtime/bootstrap/bootstrap" echo 'the bootstrap starts'
tests=$(find "$package/dist" -name 'test_*' -o -name '*.test.*' -o -name '__pycache__')
[[ -z $tests ]] || fail "the package has tests or their traces in it: $tests"
