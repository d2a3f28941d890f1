const SHARD = /^(.*-)(\d{5})-of-(\d{5})(\.\w+)$/;
/** Names are a stranger's, and each can claim 99,999 others. */
const MAX_PROBLEMS = 100;

/** Returns which shards files lack, in sentences: vLLM does not start without one, and the name of each tells how many there are. */
export function missingShards(names: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const name of names) {
    const [, before = '', , count = '', after = ''] = SHARD.exec(name) ?? [];
    const series = `${before}of-${count}${after}`;
    if (seen.has(series)) continue;
    seen.add(series);
    for (let index = 1; index <= Number(count); index++) {
      const shard = `${before}${String(index).padStart(5, '0')}-of-${count}${after}`;
      if (names.has(shard)) continue;
      if (problems.length === MAX_PROBLEMS) return [...problems, 'more shards are missing'];
      problems.push(`the shard ${shard} is missing`);
    }
  }
  return problems;
}
