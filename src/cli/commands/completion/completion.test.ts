import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Command } from 'commander';
import { addCompletion, completionScript, completionsOf } from './completion.ts';

const program = new Command('weighbridge');
program
  .command('plan')
  .description("the owner's plan")
  .option('--json', 'as JSON')
  .option('-m, --model <id>', 'only this');
program.command('publish').description('publish').option('-n, --dry-run', 'write nothing');
addCompletion(program);
const completions = completionsOf(program);

test('bash completes commands, then the options of the command', () => {
  const script = completionScript('bash', completions);
  const complete = (...words: string[]): string => {
    const ask = `${script}
COMP_WORDS=(weighbridge ${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _weighbridge; echo "\${COMPREPLY[*]}"`;
    return spawnSync('bash', ['-c', ask], { encoding: 'utf8' }).stdout.trim();
  };
  assert.equal(complete('p'), 'plan publish');
  assert.equal(complete('publish', '--'), '--dry-run');
  assert.equal(complete('plan', '--m'), '--model');
  assert.equal(complete('plan', 'x'), '');
});

test('zsh and fish get every command and option, quotes escaped', () => {
  const zsh = completionScript('zsh', completions);
  assert.match(zsh, /'plan:the owner'\\''s plan'/);
  assert.match(zsh, /publish\) choices=\(\n {6}'--dry-run'/);
  const fish = completionScript('fish', completions);
  assert.match(fish, /-n '__fish_seen_subcommand_from publish' -l dry-run -d 'write nothing'/);
});
