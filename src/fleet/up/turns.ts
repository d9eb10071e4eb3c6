/** Acts one after the other, each whatever became of the one before; what an act throws is its own caller's. */
export function createTurns(): (act: () => Promise<void>) => Promise<void> {
  let latest: Promise<void> = Promise.resolve();
  return (act) => {
    const done = latest.then(act);
    latest = done.catch(() => {});
    return done;
  };
}
