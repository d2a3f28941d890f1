import { formatBytes } from '../../core/text.ts';
import { gpuSentence } from '../../fit/gpu-need.ts';
import type { ModelFacts } from '../../fit/model-facts.ts';
import type { FitReport } from '../../fit/types.ts';
import type { PlannedModel } from '../../plan/types.ts';

/** Returns one word for a column. */
export function fitWord({ status }: FitReport): string {
  return status === 'unknown' ? '-' : status;
}

/** Whether it will run, as labeled sentences. */
export function fitSentences({ fit, model }: Pick<PlannedModel, 'fit' | 'model'>): readonly FitSentence[] {
  const on = fit.release === undefined ? model.baseImage : `vLLM ${fit.release}`;
  if (model.fit === 'off')
    return [{ label: '-', says: 'Not checked: fit is off.', from: 'models.yaml, fit' }];
  if (fit.status === 'unknown')
    return [
      {
        label: '-',
        says:
          fit.release === undefined
            ? 'Not checked: the name of the base image does not say which release of vLLM is in it.'
            : 'Not checked: config.json is missing or cannot be read.',
        from: model.baseImage,
      },
    ];
  if (fit.findings.length === 0)
    return [
      {
        label: 'yes',
        says: `No incompatibility with ${on} is known.`,
        from: model.baseImage,
      },
    ];
  return fit.findings.map(({ rule, message, evidence, remedy }) => ({
    label: 'NO',
    says: remedy === undefined ? message : `${message} ${remedy}`,
    from: `${rule}; ${evidence}`,
  }));
}

/** A sentence about whether a model runs. */
export interface FitSentence {
  readonly label: 'yes' | 'NO' | '-';
  readonly says: string;
  readonly from: string;
}

/** Returns what a model is, as labels and values; unknown facts are left out. */
export function factLines(facts: ModelFacts): readonly (readonly [label: string, value: string])[] {
  const { parameters, activeParameters, precision, quantization, contextLength, kvBytesPerToken } = facts;
  const active = activeParameters === undefined ? '' : `, ${billions(activeParameters)} active`;
  return [
    ...(parameters === null ? [] : [['parameters', `${billions(parameters)}${active}`] as const]),
    [
      'precision',
      quantization === null || quantization === precision ? precision : `${precision} (${quantization})`,
    ],
    ['task', facts.task],
    ...(contextLength === null ? [] : [['context', `${contextLength} tokens`] as const]),
    ['weights', formatBytes(facts.weightBytes)],
    ...(kvBytesPerToken === null
      ? []
      : [['KV cache', `${formatBytes(kvBytesPerToken * 1000)} for 1,000 tokens`] as const]),
    ...(facts.gpus.length === 0 ? [] : [['needs', gpuSentence(facts.gpus)] as const]),
  ];
}

/** Returns `7.62 B`, `494 M` */
export function billions(count: number): string {
  if (count >= 1e12) return `${round(count / 1e12)} T`;
  return count >= 1e9 ? `${round(count / 1e9)} B` : `${round(count / 1e6)} M`;
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
