/** A failure that the user can do something about: one sentence says what is wrong, one what to do. */
export class Failure extends Error {
  /** @param {string} what @param {string} todo @param {unknown} [cause] */
  constructor(what, todo, cause) {
    super(`${what}\n  ${todo}`, { cause });
    this.name = 'Failure';
  }
}
