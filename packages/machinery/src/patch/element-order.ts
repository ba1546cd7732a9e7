/**
 * Puts items in the order that a patch asks for. Items that it does not name keep their order among themselves and stand
 * before the first named item that they stood before. Items are given by their keys.
 * Source: https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function inElementOrder(
  items: readonly string[],
  before: readonly string[],
  wanted: readonly string[],
): string[] {
  const there = new Set(items);
  const named = new Set(wanted);
  const place = new Map(before.map((item, index) => [item, index]));
  const others = items.filter((item) => !named.has(item));
  const result: string[] = [];
  let taken = 0;
  for (const item of named) {
    if (!there.has(item)) continue;
    const index = place.get(item) ?? -1;
    for (; taken < others.length; taken++) {
      const other = others[taken] ?? '';
      if ((place.get(other) ?? items.length) >= index) break;
      result.push(other);
    }
    result.push(item);
  }
  return [...result, ...others.slice(taken)];
}
