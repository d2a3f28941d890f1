import { tmpdir } from 'node:os';
import { runOk } from './tools.ts';

/** Returns the folder of a published Go module's sources, of the machine's own cache. `requireTool('go')` goes before it. */
export async function goModule(name: string, version: string): Promise<string> {
  const env = { GOFLAGS: '-mod=mod', GO111MODULE: 'on' };
  const text = await runOk('go', ['mod', 'download', '-json', `${name}@${version}`], { env, cwd: tmpdir() });
  return (JSON.parse(text) as { Dir: string }).Dir;
}
