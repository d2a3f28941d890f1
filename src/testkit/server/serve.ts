/** Prints one line of JSON that says where the server is, and ends the process on SIGTERM or SIGINT. */
export async function serveUntilTerminated(
  addresses: Readonly<Record<string, unknown>>,
  close: () => Promise<void>,
): Promise<void> {
  const terminated = new Promise<void>(resolve => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  process.stdout.write(`${JSON.stringify({ ...addresses, pid: process.pid })}\n`);
  await terminated;
  await close();
}
