import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The kernel's own account of a process, written where a test can read it when the process ends. */
const WRITE_ACCOUNT = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => {
  const read = (name) => readFileSync('/proc/self/' + name, 'utf8');
  const { user, system } = process.cpuUsage();
  writeFileSync(process.env.ACCOUNT_FILE, JSON.stringify({ status: read('status'), io: read('io'), cpu: user + system }));
});
`)}`;

export interface Account {
  readonly peakMiB: number;
  /** Pages that the process has had written to disks. */
  readonly writtenBytes: number;
  /** Of all threads: what the run would take on a core of its own that never waits. */
  readonly cpuSeconds: number;
}

/** Returns variables that have a spawned command leave its account in `folder`, and what reads it afterwards. */
export function accountIn(folder: string): {
  readonly env: Readonly<Record<string, string>>;
  read(): Promise<Account>;
} {
  const file = path.join(folder, 'account.json');
  return {
    env: {
      ...{ NODE_OPTIONS: `--import=${WRITE_ACCOUNT}`, ACCOUNT_FILE: file },
      // The first start from a clone writes Node's compile cache, which is not part of the command's work.
      NODE_DISABLE_COMPILE_CACHE: '1',
    },
    async read() {
      const { status, io, cpu } = JSON.parse(await readFile(file, 'utf8')) as {
        status: string;
        io: string;
        cpu: number;
      };
      return {
        cpuSeconds: cpu / 1e6,
        peakMiB: Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024,
        writtenBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1]),
      };
    },
  };
}
