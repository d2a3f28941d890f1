import { spawn } from 'node:child_process';

export interface ToolResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 + the signal's number where a signal ended it, as in a shell. */
  readonly exitCode: number;
}

/** Runs a tool to its end; throws with all it said unless it exits with 0. */
export async function runTool(command: string, args: readonly string[]): Promise<ToolResult> {
  const result = await tryTool(command, args);
  if (result.exitCode !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} exited with ${result.exitCode}:\n${result.stderr}${result.stdout}`,
    );
  }
  return result;
}

/** Runs a tool to its end, whatever that is. Throws only where it cannot be started. */
export function tryTool(command: string, args: readonly string[]): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const exitCode = code ?? 128 + (signal === 'SIGKILL' ? 9 : 15);
      resolve({
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        exitCode,
      });
    });
  });
}
