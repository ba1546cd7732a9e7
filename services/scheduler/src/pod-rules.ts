import type { NamespaceLabels, PodClass, PodTerm } from './pod-terms.ts';

/** Remembered answers; more classes of Pods than that are asked about anew. */
const mostAnswers = 4_096;

interface Rule {
  readonly term: PodTerm;
  /** The Pods that have it. */
  pods: number;
  announced: boolean;
}

/**
 * The required anti-affinity of all Pods that there are, with a node and without. Pods that one of these keeps away are placed by the
 * leader alone, who has told the others before it placed the first Pod with a new one (see `Announcer`).
 */
export class PodRules {
  readonly #rules = new Map<string, Rule>();
  /** The rules of each Pod that has any, by its key. */
  readonly #byPod = new Map<string, readonly PodTerm[]>();
  readonly #answers = new Map<string, boolean>();

  /** A Pod has come, changed or (without rules) gone. Tells whether there is a rule that was not there before. */
  onPod(key: string, repels: readonly PodTerm[]): boolean {
    const before = this.#byPod.get(key);
    if (before === undefined && repels.length === 0) return false;
    const count = this.#rules.size;
    for (const term of repels) this.#count(term, 1);
    const grew = this.#rules.size > count;
    for (const term of before ?? []) this.#count(term, -1);
    if (repels.length === 0) this.#byPod.delete(key);
    else this.#byPod.set(key, repels);
    return grew;
  }

  /** Whether any of the rules keeps such Pods away from somewhere. */
  keepAway(podClass: PodClass, namespaces: NamespaceLabels): boolean {
    if (this.#rules.size === 0) return false;
    const known = this.#answers.get(podClass.key);
    if (known !== undefined) return known;
    const answer = [...this.#rules.values()].some(({ term }) => term.chooses(podClass, namespaces));
    if (this.#answers.size >= mostAnswers) this.#answers.clear();
    this.#answers.set(podClass.key, answer);
    return answer;
  }

  namespacesChanged(): void {
    this.#answers.clear();
  }

  /** Whether all of these were announced, and there have been Pods that have them ever since. */
  areAnnounced(terms: readonly PodTerm[]): boolean {
    return terms.every(({ key }) => this.#rules.get(key)?.announced === true);
  }

  /** Those to be announced now. `kept` tells later which of them had Pods all the while, and counts these as announced. */
  toAnnounce(): { readonly kept: () => void } {
    const rules = [...this.#rules.values()].filter(({ announced }) => !announced);
    return {
      kept: () => {
        // A rule that all its Pods have left is another when it comes back.
        for (const rule of rules) rule.announced = this.#rules.get(rule.term.key) === rule;
      },
    };
  }

  /** Another leader may have been there meanwhile: what was announced says nothing any more. */
  forgetAnnounced(): void {
    for (const rule of this.#rules.values()) rule.announced = false;
  }

  #count(term: PodTerm, by: 1 | -1): void {
    let rule = this.#rules.get(term.key);
    if (rule === undefined) {
      rule = { term, pods: 0, announced: false };
      this.#rules.set(term.key, rule);
      this.#answers.clear();
    }
    rule.pods += by;
    if (rule.pods > 0) return;
    this.#rules.delete(term.key);
    this.#answers.clear();
  }
}
