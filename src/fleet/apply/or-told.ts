/** Forgets what ran on a host. That it cannot is told, and is no fault of the change that went before. */
export async function orTold(
  onProgress: (line: string) => void,
  host: string,
  forget: () => Promise<void>,
): Promise<void> {
  try {
    await forget();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    onProgress(`berth: ${host}: what ran before could not be taken away: ${why}`);
  }
}
