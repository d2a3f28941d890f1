import type { ModelConfig } from '../config/types.ts';
import type { Contradiction } from './contradiction.ts';
import type { Change, PolicyDecision } from './types.ts';

const VOUCH: Change = {
  line: 'permissive: true',
  means:
    'you have read the terms, of the models that it was made from too, and vouch that the weights may be redistributed',
};

/** The lines of a model's entry that would turn the decision about its fat image round. */
export function changesFor(
  model: ModelConfig,
  { build, rule }: PolicyDecision,
  contradiction: Contradiction | undefined,
): readonly Change[] {
  if (build) return [{ line: 'permissive: false', means: 'the weights are kept out all the same' }];
  switch (rule) {
    // A gate is the Hub's: nothing in the file opens it.
    case 'gated':
    case 'gated-false-refused':
      return [];
    case 'gated-by-file':
      return [{ line: 'gated: auto', means: 'the Hub decides, which does not gate it' }];
    case 'not-permissive-by-file':
      return [{ line: 'permissive: auto', means: 'the license decides' }];
    case 'license-not-permitted':
      return [
        {
          line: 'defaults.spdx_permissive_whitelist: [..., <its id>]',
          means: 'this license is permitted for all models',
        },
        VOUCH,
      ];
    case 'license-contradicted':
      return [
        ...(contradiction?.override === undefined
          ? []
          : [
              {
                line: `override_spdx: ${contradiction.override}`,
                means: 'the file is right, the card is not',
              },
            ]),
        VOUCH,
      ];
    case 'lineage-not-permitted':
    case 'lineage-unknown':
    case 'lineage-suspected':
      return [
        VOUCH,
        {
          line: 'defaults.lineage: warn',
          means: 'for all models: what a model was made from is told and decides nothing',
        },
      ];
    case 'files-unsafe':
      return [{ line: 'files: {exclude: [<the file>]}', means: 'the image does not hold it' }];
    case 'pickle-not-allowed':
      return [{ line: 'files: {allow_pickle: true}', means: 'you trust its authors' }];
    case 'override-invalid':
      return [
        { line: 'override_spdx: <a valid SPDX expression>', means: 'it is judged like any other license' },
        VOUCH,
      ];
    default:
      return [
        { line: 'override_spdx: <its SPDX id>', means: 'you know which license it is' },
        ...(model.permissive === 'auto' ? [VOUCH] : []),
      ];
  }
}
