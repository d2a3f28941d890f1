import { parentPort, workerData } from 'node:worker_threads';

const { module } = workerData as { readonly module: string };
const loading: Promise<Record<string, () => Promise<string>>> = import(module);

parentPort?.on('message', (name: string) => {
  if (name === 'ping') parentPort?.postMessage({ kind: 'pong', text: '' });
  else void run(name);
});

async function run(name: string): Promise<void> {
  const scenarios = await loading;
  const work = scenarios[name];
  const text = await (work?.() ?? Promise.reject(new Error(`no scenario ${name}`))).catch(
    (error: unknown) => `threw ${String(error)}`,
  );
  parentPort?.postMessage({ kind: name, text });
}
