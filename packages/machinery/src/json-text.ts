import { formatPath, type PathStep } from './field-path.ts';

/**
 * The fields that stand more than once in one object of a JSON text, by their paths; JSON.parse keeps the last of each in
 * silence. At most a hundred. The text must be valid JSON. One pass, for a text may be megabytes long.
 */
export function duplicateFields(text: string): string[] {
  const found = new Set<string>();
  const path: PathStep[] = [];
  const open: (Set<string> | undefined)[] = []; // of an object the names so far; undefined for a list
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        path.push('');
        isName = true;
        break;
      case '[':
        open.push(undefined);
        path.push(0);
        isName = false;
        break;
      case '}':
      case ']':
        open.pop();
        path.pop();
        isName = false;
        break;
      case ',':
        isName = open.at(-1) !== undefined;
        if (!isName) path.push(Number(path.pop()) + 1);
        break;
      case '"': {
        const end = endOfString(text, at);
        if (isName) note(JSON.parse(text.slice(at, end + 1)) as string); // a JSON string
        at = end;
        isName = false;
        break;
      }
      default:
    }
  }
  return [...found];

  function note(name: string): void {
    const names = open.at(-1);
    path.splice(-1, 1, name);
    if (names?.has(name) === true && found.size < most) found.add(formatPath(path));
    names?.add(name);
  }
}

const most = 100;

/** Where the string ends that begins at `start`: its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
