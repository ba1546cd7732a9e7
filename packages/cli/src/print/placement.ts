import { formatTable } from '@navarch/machinery';
import { type AbleNode, type ExplainResponse, PodStanding, type ProvenChange, type RefusedNodes } from '@navarch/proto';

/** Of a group of nodes, so many are shown. */
const mostNodes = 5;

/** Where a Pod is and why, or why it is nowhere and what would help, as a page. */
export function placementText(name: string, answer: ExplainResponse): string {
  const { standing, summary, revision, refused, able, ableNodes, changes } = answer;
  const waits = standing === PodStanding.PLACED || standing === PodStanding.OVER ? '' : ' waits for a node';
  return [
    `${name}${waits}: ${summary} (revision ${revision}).\n`,
    ...(able.length === 0 ? [] : [ableText(able, ableNodes)]),
    ...refused.map(refusedText),
    ...(standing === PodStanding.REFUSED ? [changesText(changes)] : []),
  ].join('');
}

function ableText(able: readonly AbleNode[], count: number): string {
  const rows = able
    .slice(0, mostNodes)
    .map(({ name, preference, score, pods, chosen }) => [
      `${chosen ? '*' : ' '} ${name}`,
      String(preference),
      score.toFixed(2),
      String(pods),
    ]);
  const more = count > mostNodes ? `    … and ${count - mostNodes} more\n` : '';
  const title = `\n  ${counted(count)} could have it, the best first:\n`;
  return `${title}${indented(formatTable([['  NODE', 'PREFERENCE', 'SCORE', 'PODS'], ...rows]))}${more}`;
}

function refusedText({ reason, count, nodes }: RefusedNodes): string {
  const rows = nodes
    .slice(0, mostNodes)
    .flatMap(({ name, obstacles }) => obstacles.map(({ text }, at) => [at === 0 ? name : '', text]));
  const more = count > mostNodes ? `    … and ${count - mostNodes} more\n` : '';
  return `\n  ${counted(count)}: ${reason}\n${indented(formatTable(rows))}${more}`;
}

function changesText(changes: readonly ProvenChange[]): string {
  const [smallest, ...others] = changes;
  if (smallest === undefined) return '\nNo one change, and no pair of changes, that is known here would place it.\n';
  return [
    '\nThe smallest change that would place it (tried on a copy of the cluster):\n',
    changeText(smallest),
    ...(others.length === 0 ? [] : ['Or, each by itself:\n', ...others.map(changeText)]),
  ].join('');
}

function changeText({ steps, commands, nodeName }: ProvenChange): string {
  return [
    `  - ${steps.join(', and ')}: it would be on node ${nodeName}\n`,
    ...commands.map((command) => `      ${command}\n`),
  ].join('');
}

function counted(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}

function indented(table: string): string {
  return table.replaceAll(/^(?=.)/gm, '    ');
}
