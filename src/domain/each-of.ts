/** What `work` makes of each, in their order, with no more than `most` under way at once. The first failure rejects, and begins nothing more. */
export async function eachOf<One, Made>(
  all: readonly One[],
  most: number,
  work: (one: One) => Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  const queue = [...all.entries()];
  async function worker(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [at, one] = next;
      try {
        made[at] = await work(one);
      } catch (error) {
        queue.length = 0;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, all.length) }, worker));
  return made;
}
