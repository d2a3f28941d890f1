import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseConfig } from '../../../src/config/load-config.ts';
import { plainLine } from '../../../src/core/safe-text.ts';
import { readLock } from '../../../src/plan/lock/lock.ts';
import { parsePlan } from '../../../src/plan/plan-file.ts';
import { bent, bentJson, orRefused } from '../bent.ts';
import { DIGEST, OID, parsedOrNothing, parser } from './table.ts';

// Files that other people's jobs wrote: locks, plans, catalogs, and models.yaml itself.
{
  const models = 'models:\n  - {id: acme/x, short: x, serve_args: [--port, 8000]}\n';
  parser(
    'models.yaml',
    fc.property(
      bent(
        models,
        `x-a: &a {id: b/c, short: c}\n${models}  - *a\n`,
        'registries: {lab: {prefix: "h:5/m", ca: x}}\n',
      ),
      text => {
        const config = orRefused(() => parseConfig(text, 'models.yaml'));
        for (const { short } of config?.models ?? []) assert.match(short, /^[a-z0-9]/);
      },
    ),
  );
  const locked = {
    version: 2,
    models: {
      x: {
        ...{ id: 'acme/x', ref: null, revision: OID, base: { image: 'a:b', digest: DIGEST }, gated: false },
        ...{
          license: 'MIT',
          declared: 'mit',
          texts: {},
          lineage: {},
          fat: { build: true, rule: 'permissive' },
        },
      },
    },
  };
  parser(
    'locks',
    fc.property(bentJson(locked), bytes => {
      readLock(parsedOrNothing(bytes));
    }),
  );
  const config = parseConfig(models, 'models.yaml');
  const filed = {
    schemaVersion: 1,
    texts: ['a'],
    config: { digest: config.digest },
    models: [],
    warnings: ['w'],
  };
  parser(
    'plan files',
    fc.property(bentJson(filed), bytes => {
      orRefused(() => parsePlan(bytes, 'plan.json', config, {}));
    }),
  );
  parser(
    'words for a terminal',
    fc.property(bent('\u001b[31mred', '##[error]x', '\u202eabc', 'a\r\nb'), text => {
      const line = plainLine(text, 1000);
      assert.doesNotMatch(line, /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
      assert.ok(!line.startsWith('##[') && !line.startsWith('::'));
    }),
  );
}
