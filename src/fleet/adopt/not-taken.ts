/** The name itself, or with the first number behind it that makes it one that nobody has. Pure. */
export function notTaken(name: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(free)) return free;
  }
}
