const share = 0.2;
const most = 10;

/** Of one deployment: retries may be a fifth of its requests, saved up to ten: a failing engine must not get more load for failing. */
export class RetryBudget {
  #saved = most;

  onRequest(): void {
    this.#saved = Math.min(most, this.#saved + share);
  }

  get allows(): boolean {
    return this.#saved >= 1;
  }

  spend(): void {
    this.#saved -= 1;
  }
}
