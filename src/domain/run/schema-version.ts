/** Version of every file in a run's folder; raised when a key changes its meaning. */
export const runSchema = 1;
