import { pythonWith } from './python.ts';
import { run } from './tools.ts';

/** Ships the schemas of every Kubernetes version up to its own. */
const VALIDATOR = 'kubernetes-validate==1.37.0';

export interface SchemaCheck {
  /** `deployment/hf-x`, in the order of the text: what fits its schema. */
  readonly passed: readonly string[];
  /** One a resource that does not, with where and why; a kind without a schema is one too. */
  readonly problems: readonly string[];
}

/**
 * Holds every resource of a YAML text against the JSON schemas of a Kubernetes version (`1.37`); unknown fields are
 * problems. Needs python3 (`requireTool('python3')` before it) and, at first use, the package registry.
 */
export async function checkKubernetesYaml(yaml: string, version: string): Promise<SchemaCheck> {
  const python = await pythonWith([VALIDATOR]);
  const args = ['-m', 'kubernetes_validate', '--strict', '--kubernetes-version', version, '-'];
  const { stdout, stderr } = await run(python, args, { input: yaml });
  const lines = stdout.split('\n').filter(line => line !== '');
  const passed = lines.flatMap(line => /^INFO - passed for resource (\S+)/.exec(line)?.[1] ?? []);
  const problems = [...lines.filter(line => !line.startsWith('INFO ')), ...stderr.split('\n')];
  return { passed, problems: problems.filter(line => line.trim() !== '') };
}
