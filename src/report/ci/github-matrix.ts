import { splitIntoJobs } from '../../plan/jobs.ts';
import type { Plan, PlannedModel } from '../../plan/types.ts';

/** `plan --format github`: for `strategy.matrix` of a job. Nothing of a registry is in it, since its name may be a secret. */
export interface GithubMatrix {
  readonly include: readonly (ModelJob | ManyModelsJob)[];
}

/** What every job has: a name for people and files, and what `--model` has to be. */
interface MatrixJob {
  readonly name: string;
  readonly models: string;
}

interface ModelJob extends MatrixJob {
  readonly id: string;
  readonly short: string;
  readonly revision: string;
  readonly slim: boolean;
  readonly fat: boolean;
}

/** One of the jobs if there are more models than jobs. */
export interface ManyModelsJob extends MatrixJob {
  readonly count: number;
}

/**
 * Returns the matrix of a GitHub workflow. Models that could not be resolved have no job; the exit status of `plan`
 * reports them.
 */
export function githubMatrix(plan: Plan): GithubMatrix {
  const planned = plan.models.filter(model => model.kind === 'planned');
  const jobs = splitIntoJobs(planned);
  return { include: jobs.map((models, index) => jobOf(models, index, jobs.length)) };
}

function jobOf(models: readonly PlannedModel[], index: number, count: number): ModelJob | ManyModelsJob {
  const [first] = models;
  const names = models.map(({ model }) => model.short).join(',');
  if (first === undefined || models.length > 1) {
    return { name: `part-${index + 1}-of-${count}`, models: names, count: models.length };
  }
  const { model, snapshot, outcome } = first;
  return {
    name: model.short,
    models: names,
    id: model.id,
    short: model.short,
    revision: snapshot.revision,
    slim: outcome.decisions.slim.build,
    fat: outcome.decisions.fat.build,
  };
}
