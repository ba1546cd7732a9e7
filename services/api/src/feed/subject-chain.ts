/** So many subjects' newest revisions are remembered: nodes and kinds, so far more than there are. */
const defaultCapacity = 200_000;

/** The newest revision of each subject, as far as it is remembered. */
export class SubjectChain {
  readonly #capacity: number;
  /** The one that changed longest ago first. */
  readonly #newest = new Map<string, bigint>();
  /** No subject that is not remembered has changed after this revision. */
  #floor: bigint;

  constructor(startedAfter: bigint, capacity: number = defaultCapacity) {
    this.#floor = startedAfter;
    this.#capacity = capacity;
  }

  /** Notes a change of `subject`, and gives a revision after which, and before `revision`, nothing has changed on it. */
  next(subject: string, revision: bigint): bigint {
    const previous = this.#newest.get(subject) ?? this.#floor;
    this.#newest.delete(subject);
    this.#newest.set(subject, revision);
    if (this.#newest.size > this.#capacity) {
      const [oldest] = this.#newest;
      if (oldest !== undefined) {
        this.#newest.delete(oldest[0]);
        this.#floor = oldest[1];
      }
    }
    return previous;
  }
}
