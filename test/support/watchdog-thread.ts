import { parentPort, workerData } from 'node:worker_threads';

const { module, scenario } = workerData as { readonly module: string; readonly scenario: string };
const scenarios: Record<string, () => Promise<string>> = await import(module);
parentPort?.on('message', () => parentPort?.postMessage('pong'));
const outcome = await scenarios[scenario]?.().catch((error: unknown) => `threw ${String(error)}`);
parentPort?.postMessage(outcome ?? `no scenario ${scenario}`);
parentPort?.unref();
