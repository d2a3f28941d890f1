import type { PlannedModel } from './types.ts';

/** GitHub runs at most so many jobs of a matrix. */
export const MAX_MATRIX_JOBS = 256;

/**
 * Returns models by the job that publishes them: one a job, as long as there are no more than `maxJobs` of them. Beyond
 * that, jobs of several models with about the same number of bytes each. Models and jobs keep the order of the plan.
 */
export function splitIntoJobs(models: readonly PlannedModel[], maxJobs = MAX_MATRIX_JOBS): PlannedModel[][] {
  if (models.length <= maxJobs) return models.map(model => [model]);
  const jobs = Array.from({ length: maxJobs }, () => ({ sizeBytes: 0, models: [] as PlannedModel[] }));
  const order = new Map(models.map((model, index) => [model, index]));
  const position = (model: PlannedModel | undefined): number => (model && order.get(model)) ?? models.length;
  // The largest first, each to the job with the least to do: far from optimal only if one model outweighs all.
  for (const model of models.toSorted((a, b) => bytesOf(b) - bytesOf(a))) {
    const lightest = jobs.reduce((best, job) => (isLighter(job, best) ? job : best));
    lightest.models.push(model);
    lightest.sizeBytes += bytesOf(model);
  }
  return jobs
    .map(job => job.models.sort((a, b) => position(a) - position(b)))
    .sort((a, b) => position(a[0]) - position(b[0]));
}

interface Load {
  readonly sizeBytes: number;
  readonly models: readonly unknown[];
}

function isLighter(a: Load, b: Load): boolean {
  return a.sizeBytes === b.sizeBytes ? a.models.length < b.models.length : a.sizeBytes < b.sizeBytes;
}

function bytesOf({ files, outcome }: PlannedModel): number {
  return outcome.decisions.fat.build ? files.reduce((sum, file) => sum + file.sizeBytes, 0) : 0;
}
