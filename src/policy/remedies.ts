import type { ModelConfig } from '../config/types.ts';
import type { Contradiction } from './contradiction.ts';
import type { PolicyDecision, Remedy } from './types.ts';

const VOUCH: Remedy = {
  setting: 'permissive: true',
  effect:
    'you have read the terms, of the models that it was made from too, and vouch that the weights may be redistributed',
};

/** Returns the lines of a model's entry that would turn the decision about its fat image round. */
export function remediesFor(
  model: ModelConfig,
  { build, rule }: PolicyDecision,
  contradiction: Contradiction | undefined,
): readonly Remedy[] {
  if (build) return [{ setting: 'permissive: false', effect: 'the weights are kept out all the same' }];
  switch (rule) {
    // A gate is the Hub's: nothing in the file opens it.
    case 'gated':
    case 'gated-false-refused':
      return [];
    case 'gated-by-file':
      return [{ setting: 'gated: auto', effect: 'the Hub decides, which does not gate it' }];
    case 'not-permissive-by-file':
      return [{ setting: 'permissive: auto', effect: 'the license decides' }];
    case 'license-not-permitted':
      return [
        {
          setting: 'defaults.spdx_permissive_whitelist: [..., <its id>]',
          effect: 'this license is permitted for all models',
        },
        VOUCH,
      ];
    case 'license-contradicted':
      return [
        ...(contradiction?.override === undefined
          ? []
          : [
              {
                setting: `override_spdx: ${contradiction.override}`,
                effect: 'the file is right, the card is not',
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
          setting: 'defaults.lineage: warn',
          effect: 'for all models: what a model was made from is told and decides nothing',
        },
      ];
    case 'files-unsafe':
      return [{ setting: 'files: {exclude: [<the file>]}', effect: 'the image does not hold it' }];
    case 'pickle-not-allowed':
      return [{ setting: 'files: {allow_pickle: true}', effect: 'you trust its authors' }];
    case 'override-invalid':
      return [
        {
          setting: 'override_spdx: <a valid SPDX expression>',
          effect: 'it is judged like any other license',
        },
        VOUCH,
      ];
    default:
      return [
        { setting: 'override_spdx: <its SPDX id>', effect: 'you know which license it is' },
        ...(model.permissive === 'auto' ? [VOUCH] : []),
      ];
  }
}
