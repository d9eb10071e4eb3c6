/** What is known of a start that is not over yet. */
export interface StartSign {
  /** Its cluster is at work on what comes before the engine: an image that is pulled, a model that is fetched. */
  readonly prepares?: boolean;
  /** By its cluster's word the engine itself runs. */
  readonly runs?: boolean;
  /** It is well by its own word and gives no token. */
  readonly token?: boolean;
  /** Its cluster calls it ready, and no connection to it comes about from here. */
  readonly unreached?: boolean;
}

export interface StartTime {
  /** When it is given up, by the clock that it is told. */
  readonly until: () => number;
  readonly hear: (sign: StartSign, now: number) => void;
}

const tokenPatienceMs = 60_000;
const unreachedPatienceMs = 30_000;
/** As long as a Deployment is given for it beside its engine's own time. */
const preparationMs = 1_800_000;

/**
 * The time that a start has. In a cluster it begins anew with the engine, and what comes before has a time of its own; what no
 * time mends, as it seems, has little. Pure but for what it has heard.
 */
export function startTime(begun: number, startTimeoutMs: number): StartTime {
  let until = begun + startTimeoutMs;
  let heardAt = begun;
  let preparedMs = 0;
  let before: StartSign = {};
  return {
    until: () => until,
    hear: (sign, now) => {
      const passed = now - heardAt;
      heardAt = now;
      if (sign.prepares) {
        const given = Math.min(passed, preparationMs - preparedMs);
        preparedMs += given;
        until += given;
      }
      if (sign.runs && !before.runs) until = now + startTimeoutMs;
      if (sign.token && !before.token) until = Math.min(until, now + tokenPatienceMs);
      if (sign.unreached && !before.unreached) until = Math.min(until, now + unreachedPatienceMs);
      before = { ...sign, runs: before.runs === true || sign.runs === true };
    },
  };
}
