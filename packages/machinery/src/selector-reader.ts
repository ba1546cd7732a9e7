import { ApiError } from './errors.ts';

const operators = ['==', '!=', '=', '>', '<'] as const;
type Operator = (typeof operators)[number] | 'in' | 'notin';

/** Reads a selector's text from left to right. What is wrong is thrown as BadRequest with its place. */
export class SelectorReader {
  readonly #text: string;
  readonly #what: string;
  #at = 0;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
    this.#skipSpace();
  }

  done(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Steps over `symbol` if it comes next. */
  take(symbol: string): boolean {
    if (!this.#text.startsWith(symbol, this.#at)) return false;
    this.#at += symbol.length;
    this.#skipSpace();
    return true;
  }

  expect(symbol: string): void {
    if (!this.take(symbol)) this.fail(`"${symbol}"`);
  }

  /** The next word; fails when there is none and `expected` says what should be there. */
  word(expected?: string): string {
    const [word = ''] = /^[^\s,()=!<>]*/.exec(this.#text.slice(this.#at)) ?? [];
    if (word === '' && expected !== undefined) this.fail(expected);
    this.#at += word.length;
    this.#skipSpace();
    return word;
  }

  operator(): Operator | undefined {
    const symbol = operators.find((candidate) => this.take(candidate));
    if (symbol !== undefined) return symbol;
    const [word] = /^(in|notin)(?=[\s(]|$)/.exec(this.#text.slice(this.#at)) ?? [];
    if (word === undefined) return undefined;
    this.take(word);
    return word as 'in' | 'notin'; // the pattern allows these
  }

  fail(expected: string): never {
    const place = this.done() ? 'at the end' : `at "${this.#text.slice(this.#at, this.#at + 20)}"`;
    throw new ApiError(
      'BadRequest',
      `${this.#what} "${this.#text}", character ${this.#at + 1} (${place}): expected ${expected}`,
    );
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
}
