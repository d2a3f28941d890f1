#!/usr/bin/env node
// Starts Weighbridge from any folder, on a clone and on a package, on every system that has Node.js. Written for old
// versions of it too: what they cannot run is handed to the Node.js that a clone pins, or refused with what to do.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const USAGE = 2;
const root = fileURLToPath(new URL('..', import.meta.url));
// The sources run as they are in a clone; a published package has them compiled.
const source = path.join(root, 'src', 'cli', 'main.ts');
const isClone = existsSync(source);
const entry = isClone ? source : path.join(root, 'dist', 'cli', 'main.js');

const [, major, minor] = /(\d+)\.(\d+)/.exec(
  JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).engines.node,
);
const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
const isNewEnough = ownMajor > Number(major) || (ownMajor === Number(major) && ownMinor >= Number(minor));
const pinned = ['node', 'node.exe']
  .map(name => path.join(root, 'node_modules', 'node', 'bin', name))
  .find(file => existsSync(file));

if (isNewEnough) {
  // Types are stripped from 600 modules once, and not at each start. Has no effect where the clone is read-only.
  if (isClone) module.enableCompileCache(path.join(root, 'node_modules', '.cache', 'weighbridge'));
  await import(pathToFileURL(entry).href);
} else if (isClone && pinned !== undefined && pinned !== process.execPath) {
  runPinned(pinned);
} else {
  const remedy = isClone
    ? `Run \`npm ci\` in ${root}, which installs the pinned one.`
    : 'Install it from https://nodejs.org, or with your version manager.';
  process.stderr.write(
    `weighbridge: Node.js ${major}.${minor} or later is needed, and this is ${process.versions.node}\n  ${remedy}\n`,
  );
  process.exitCode = USAGE;
}

/** A terminal's Ctrl-C reaches the child too; what is sent to this process alone is passed on. */
function runPinned(program) {
  const child = spawn(program, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => hasTerminal || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', error => {
    process.stderr.write(`weighbridge: ${program} cannot be started: ${error.message}\n`);
    process.exitCode = USAGE;
  });
  child.on('close', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
