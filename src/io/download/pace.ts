/** Bytes: a connection over which less comes is as good as broken. */
export const leastPerSecond = 256;

/** The same chunks; rejects once less than a trickle has come within `windowMs`, though something came all the while. */
export async function* paced(
  body: AsyncIterable<Buffer>,
  windowMs: number,
  now: () => number,
): AsyncGenerator<Buffer> {
  const least = (leastPerSecond * windowMs) / 1000;
  let began = now();
  let came = 0;
  for await (const chunk of body) {
    yield chunk;
    came += chunk.length;
    if (came >= least) {
      began = now();
      came = 0;
    } else if (now() - began > windowMs) {
      throw new Error(`${came} bytes came within ${Math.round(windowMs / 1000)} s`);
    }
  }
}
