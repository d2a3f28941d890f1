#!/usr/bin/env bash
# The published package works where only its own dependencies are: packs it, installs it into an empty folder, starts it on
# old and new versions of Node.js, runs the demo, every command's help, a publish by the command and by the library, and the
# slim image's bootstrap, and finds the files that it reads, the licenses of what is bundled, and no tests in it.
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

# What Python leaves beside a module that somebody has run stays out of the package.
python3 -m compileall -q src/runtime/bootstrap/weighbridge_bootstrap
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
  XDG_CACHE_HOME=$folder/cache "$node" "$command" demo | tail -n 2
done
node=$(node_of 24)

# Each command is a part of the bundle that is loaded on demand.
commands=$("$node" "$command" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p')
[[ $commands == *publish*demo* ]] || fail "--help lists these commands: $commands"
for name in $commands; do
  "$node" "$command" "$name" --help > /dev/null || fail "$name --help does not work"
done

missing=$(node -p "Object.values(require('$package/package.json').exports).flatMap(entry => Object.values(typeof entry === 'string' ? [entry] : entry)).filter(file => !file.includes('*') && !fs.existsSync('$package/' + file)).join(' ')")
[[ -z $missing ]] || fail "package.json exports what is not in the package: $missing"

# What the bundle finds by its own address: the catalog's scripts, fonts and docs, workflows, and the commit in build.json.
for pattern in '*.js' '*.css' '*.woff2' 'quick-start*'; do
  [[ -n $(find "$folder/cache" -name "$pattern") ]] || fail "the demo's catalog has no $pattern"
done
"$node" "$command" init project --ghcr acme --dockerhub acme > init.log || fail "init: $(cat init.log)"
commit=$(git -C "$root" rev-parse HEAD)
grep -q "update\.yml@$commit" project/.github/workflows/update-models.yml || fail 'init writes workflows of another commit'

# Everything of package.json is in the bundle but what is read as data, and so is what that needs.
names=$(node -p "Object.keys(require('$package/package.json').dependencies).filter(name => !/^@fontsource|^spdx-license-list$/.test(name)).join(' ')")
for name in $names minipass; do
  grep -q "^$name $(node -p "require('$root/node_modules/$name/package.json').version")\$" "$package/dist/cli/LICENSES.txt" ||
    fail "dist/cli/LICENSES.txt has no license of $name"
done

# The examples, typed strictly and run, with the Hub and the registry of the package's own testkit.
cp "$root"/examples/*.ts .
printf '{"compilerOptions": {"strict": true, "target": "es2024", "lib": ["es2024", "esnext.disposable"], "module": "nodenext", "skipLibCheck": false, "noEmit": true, "types": ["node"], "typeRoots": ["%s/node_modules/@types"]}, "include": ["*.ts"]}' "$root" > tsconfig.json
npm pkg set type=module > /dev/null
"$root/node_modules/.bin/tsc" -p . || fail 'the examples do not pass tsc --strict'
"$node" --test testkit.ts > test.log || fail "the example of a test: $(cat test.log)"
cat > publish.mjs <<'JS'
import { createWeighbridge, loadConfig } from 'weighbridge';
await using weighbridge = createWeighbridge({ env: process.env });
const plan = await weighbridge.plan(await loadConfig('models.yaml'));
for (const { images } of await weighbridge.publish(plan, { isForced: true }))
  for (const { variant, status } of images) console.log('by the library', variant, status);
JS
# The weights are large enough for a worker thread, which the command and the library each have a module for.
"$node" --input-type=module - "$command" > example.log <<'JS' || fail "the example: $(cat example.log)"
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { buildBaseImage, sampleModelFiles, startHub, startRegistry } from 'weighbridge/testkit';
const weights = 10_000_000;
const head = JSON.stringify({ weight: { dtype: 'U8', shape: [weights], data_offsets: [0, weights] } });
const size = Buffer.alloc(8);
size.writeBigUInt64LE(BigInt(head.length));
const sample = Object.entries(await sampleModelFiles()).filter(([name]) => !name.includes('safetensors'));
const files = { ...Object.fromEntries(sample), 'model.safetensors': Buffer.concat([size, Buffer.from(head), Buffer.alloc(weights, 1)]) };
const hub = await startHub();
await hub.addModel({ id: 'acme/sample', files });
const registry = await startRegistry();
registry.putImage('vllm/vllm-openai', 'v0.6.0', buildBaseImage());
writeFileSync('models.yaml', `registries: {lab: ${registry.host}/m}
defaults: {base_image: "${registry.host}/vllm/vllm-openai:v0.6.0"}
models: [{id: acme/sample, short: sample}]
`);
const env = { ...process.env, HF_ENDPOINT: hub.url, WEIGHBRIDGE_LAYER_INDEX: '' };
const run = (...args) => new Promise(resolve => spawn(process.execPath, args, { env, stdio: 'inherit' }).on('close', resolve));
const command = process.argv[2];
for (const args of [['publish-to-layout.ts'], [command, 'publish'], [command, 'verify', '--deep'], ['publish.mjs']])
  process.exitCode ||= await run(...args);
await Promise.all([hub.close(), registry.close()]);
JS
cat example.log
grep -q '^sample slim published sha256:' example.log || fail 'the example published nothing'
grep -q '^by the library fat published$' example.log || fail 'the library published nothing'

python3 "$package/dist/runtime/bootstrap/bootstrap" echo 'the bootstrap starts'
tests=$(find "$package/dist" -name 'test_*' -o -name '*.test.*' -o -name '__pycache__')
[[ -z $tests ]] || fail "the package has tests or their traces in it: $tests"
